"""`hub:owner/name`: a data set of the Hugging Face hub, fetched once by a process of its own.

That process imports `datasets`, which takes seconds and hundreds of megabytes; what it leaves is a parquet
file in `$XDG_CACHE_HOME/workbench/hub`. To fetch a newer version, delete that file.
"""

import json
import os
import re
import tempfile
from hashlib import blake2b
from pathlib import Path

from workbench.data.files.packed import cache_folder
from workbench.data.files.rows import Cancelled, Rows, open_rows
from workbench.errors import WorkbenchError, fault
from workbench.project import child

_WORKER = "workbench.engine.hub_dataset"
_NAME = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_][\w.-]{0,95}(?:/[A-Za-z0-9_][\w.-]{0,95})?", re.ASCII)
"""Source: huggingface_hub.utils.validate_repo_id."""
_LONGEST_ERROR = 300
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def open_hub(name: str, split: str, config: str, cancelled: Cancelled | None) -> Rows:
    """Rows of one split of a data set, which is fetched when it is not in the cache.

    Args:
        name: `owner/name`, or the name alone of an old data set.
        split: such as `train`; also a part of one, as `datasets` writes it: `train[:5000]`.
        config: one of the data set's configurations; empty for its only one.
        cancelled: asked while it is fetched.

    Raises:
        WorkbenchError: no such data set, split or configuration; access has to be asked for; no network.
    """
    if not _NAME.fullmatch(name):
        raise fault("not a name of the hub", f"hub:{name}", "it has the form hub:owner/name")
    key = blake2b(f"{name}\0{config}\0{split}".encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    file = cache_folder() / "hub" / f"{name.replace('/', '--')}-{key}.parquet"
    if not file.is_file():
        try:
            file.parent.mkdir(0o700, parents=True, exist_ok=True)
        except OSError as e:
            raise fault(f"no folder to fetch it into: {e.strerror or e}", file.parent) from e
        fetch(name, split, config, file, cancelled)
    return open_rows(file)


def fetch(name: str, split: str, config: str, target: Path, cancelled: Cancelled | None) -> None:
    """Have another process write one split of a data set to the parquet file `target`.

    Raises:
        WorkbenchError: what that process says; there is no file then.
    """
    where = f"hub:{name}"
    # The worker stands in an empty folder, since `datasets` takes a folder called owner/name for the data
    # set; what a worker leaves that is killed goes with it
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as folder:
        made = Path(folder, target.name)
        words, said = [name, split, config, str(made)], [""]
        try:
            ended = child.run(_WORKER, words, said.append, cancelled, environment=_QUIET, folder=Path(folder))
        except OSError as e:
            raise fault(f"the process that fetches it cannot be started: {e.strerror or e}", where) from e
        if ended.cancelled:
            raise fault("fetching was cancelled", where)
        if ended.code or not made.is_file():
            raise _refusal(said[-1], ended, where)
        os.replace(made, target)


def _refusal(said: str, ended: child.Ended, where: str) -> WorkbenchError:
    """The last word of a worker that gave up is what and hint as JSON; one that crashed complains."""
    try:
        last = json.loads(said)
        return fault(str(last["what"]), where, str(last["hint"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        reason = (ended.complaint or said)[:_LONGEST_ERROR] or f"exit code {ended.code}"
        return fault(f"the process that fetches it failed: {reason}", where)
