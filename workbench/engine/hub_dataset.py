"""The process that fetches a data set: `python -m workbench.engine.hub_dataset NAME SPLIT CONFIG TARGET`.

It writes one split to the parquet file TARGET, whole or not at all. When it cannot, its exit code is 1 and
the last line it writes is `{"what": ..., "hint": ...}`. NAME may also be a local folder.
"""

import ast
import errno
import json
import os
import re
import secrets
import sys
import tempfile
from pathlib import Path

_LONGEST = 300


def main(argv: list[str]) -> int:
    """Fetch; returns the exit code."""
    name, split, config, target = argv
    try:
        fetch(name, split, config, Path(target))
    except Exception as error:
        what, hint = explained(error, name, split, config)
        sys.stdout.write(json.dumps({"what": what, "hint": hint}) + "\n")
        return 1
    return 0


def fetch(name: str, split: str, config: str, target: Path) -> None:
    """Load a split and write it as parquet. Raises what `datasets` raises.

    What `datasets` prepares on the way is as big as the data and goes again; the downloads stay in its cache.
    """
    import datasets

    partial = target.with_name(f".{secrets.token_hex(4)}.tmp")
    with tempfile.TemporaryDirectory(prefix=".prepared-", dir=target.parent) as prepared:
        rows = datasets.load_dataset(name, config or None, split=split, cache_dir=prepared)
        try:
            rows.to_parquet(str(partial))
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def explained(error: Exception, name: str, split: str, config: str) -> tuple[str, str]:
    """What went wrong and what to do about it, from what `datasets` 5 raises."""
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError

    text = str(error)
    page = f"https://huggingface.co/datasets/{name}"
    if isinstance(error, DatasetNotFoundError) and "gated" in text:
        return "its owners want to be asked for access", f"ask at {page}, then log in with `hf auth login`"
    if isinstance(error, DatasetNotFoundError):
        return "no such data set on the hub", "check the name; a private one needs `hf auth login`"
    if isinstance(error, DataFilesNotFoundError) or type(error).__name__ == "EmptyDatasetError":
        return "it holds no data files that can be loaded", f"look at {page}"
    if isinstance(error, ConnectionError):
        return "the hub cannot be reached", "check the network; HF_ENDPOINT names a mirror"
    if "Config name is missing" in text:
        names = _listed(text)
        hint = f'name one: hub_config = "{names[0]}"' if names else "name one with hub_config"
        return f"it has several configurations: {', '.join(names)}", hint
    if re.match(r"BuilderConfig '.*' not found", text, re.DOTALL):
        return f'no configuration "{config}"', f"hub_config can be {' or '.join(_listed(text))}"
    if text.startswith("Unknown split"):
        return f'no split "{split}"', f"hub_split can be {' or '.join(_listed(text))}"
    if "scripts are no longer supported" in text:
        return "it is a program that would have to be run", "look for a copy of it as parquet"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full", "free some space, or set XDG_CACHE_HOME and HF_HOME"
    first = text.partition("\n")[0][:_LONGEST]
    return f"it cannot be loaded: {first or type(error).__name__}", f"look at {page}"


def _listed(text: str) -> list[str]:
    """The list of names that a message holds."""
    found = re.search(r"\[[^\]]*\]", text)
    try:
        names = ast.literal_eval(found[0]) if found else []
    except (ValueError, SyntaxError):
        return []
    return [str(name) for name in names]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
