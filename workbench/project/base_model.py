"""Finding the base model that a project names, before torch is loaded."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from workbench import embedded
from workbench.errors import WorkbenchError, fault
from workbench.project.weights import check_model_files

EMBEDDED = "embedded"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_SMALL_FILES = ["*.json", "*.txt", "*.jinja", "*.model"]
_WEIGHTS = ["*.safetensors"]
_SECOND_COPIES = ["*/*", "consolidated*"]
"""Other formats of the same weights: subfolders (onnx, original), Mistral's own file."""


@dataclass(frozen=True)
class BaseModel:
    """A base model on this machine: the name the project gives it, and the folder that holds it."""

    name: str
    folder: Path

    @property
    def portable_name(self) -> str:
        """What others find it by: the hub id where it came from the hub, else its folder."""
        return self.name if self.folder.parent.name == "snapshots" else str(self.folder)


def context_length(folder: Path) -> int | None:
    """Most tokens a base model has positions for, from its config.json; None where it sets no limit."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = config.get("text_config") or config
        limit = config.get("max_position_embeddings")
    except (OSError, ValueError, AttributeError):
        return None
    return limit if isinstance(limit, int) and limit > 0 else None


def locate(base: str, project_folder: Path, *, download: bool = False, weights: bool = True) -> BaseModel:
    """The base model that `[model] base` names: ours, else a folder, else one from the hub's local cache.

    Args:
        base: `embedded`, a folder (absolute, from `~`, or relative to the project), or a hub id.
        project_folder: what a relative folder is relative to.
        download: fetch a hub model that is not here; only tokenizer, configuration and safetensors.
        weights: whether the weights are needed too; the preview does without.

    Raises:
        WorkbenchError: the model is not found, is incomplete, has weights only in a format that can run code,
            or holds git-lfs pointers in place of files.
    """
    if base == EMBEDDED:
        folder = embedded.FOLDER
    else:
        folder = _folder(base, project_folder) or _from_hub(base, download, weights)
    check_model_files(folder, base, weights)
    return BaseModel(base, folder)


def reads_as_hub_id(base: str) -> bool:
    """`owner/name` or `name`; a folder of that name goes first."""
    return _HUB_ID.fullmatch(base) is not None


def cached_models() -> list[str]:
    """Hub ids of the models in the hub's local cache that have a configuration, sorted."""
    from huggingface_hub.constants import HF_HUB_CACHE

    found = {
        file.parents[2].name.removeprefix("models--").replace("--", "/")
        for file in Path(HF_HUB_CACHE).glob("models--*/snapshots/*/config.json")
    }
    return sorted(found)


def _folder(base: str, project_folder: Path) -> Path | None:
    """The folder that `base` names; None when it reads as a hub id and no such folder is there."""
    try:
        folder = project_folder / Path(base).expanduser()
        if folder.is_dir():
            return folder.resolve()
        if folder.exists():
            raise fault(f"the base model {base!r} is a file, not a folder", "model.base")
    except (OSError, RuntimeError, ValueError) as e:  # a name too long, no such user behind ~, a zero byte
        raise fault(f"the base model {base!r} cannot be opened: {e}", "model.base") from e
    if not reads_as_hub_id(base):
        raise fault(
            f"no base model {base!r}: no such folder, and not a hub id", "model.base", f"looked in {folder}"
        )
    return None


def _from_hub(base: str, download: bool, weights: bool) -> Path:
    """The folder of a hub model in the local cache, fetched first where asked for."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    cached: Path | None = None
    try:
        cached = Path(snapshot_download(base, local_files_only=True))
        if not download:
            return cached
        check_model_files(cached, base, weights)
        return cached
    except (LocalEntryNotFoundError, OSError, ValueError) as e:
        if not download:
            hint = f"`workbench fetch {base}` fetches it, and so does a run; or name a folder, or `embedded`"
            raise fault(
                f"no base model {base!r}: no such folder, and not in the hub's cache", "model.base", hint
            ) from e
    except WorkbenchError:
        pass  # an incomplete copy is completed below
    patterns = _SMALL_FILES + (_WEIGHTS if weights else [])
    try:
        return Path(snapshot_download(base, allow_patterns=patterns, ignore_patterns=_SECOND_COPIES))
    except Exception as e:  # the hub's client raises errors of four libraries, told apart by name below
        raise _hub_error(base, e) from e


def _hub_error(base: str, error: Exception) -> WorkbenchError:
    from huggingface_hub import errors

    where = "model.base"
    if isinstance(error, errors.GatedRepoError):
        hint = "accept its terms on huggingface.co, then log in with `hf auth login`"
        return fault(f"{base!r} is gated: the hub asks who you are", where, hint)
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return fault(
            f"no base model {base!r}: the hub does not know it", where, "a private one needs `hf auth login`"
        )
    if isinstance(error, OSError) and error.errno is not None:
        return fault(
            f"{base!r} cannot be stored: {error.strerror}", where, "see HF_HOME for where the hub's files go"
        )
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return fault(
        f"{base!r} is not here and the hub was not reached: {reason}", where, "name a folder, or `embedded`"
    )
