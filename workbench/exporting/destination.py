"""Where an export goes: filled in a hidden folder beside its place, it takes its name when it is whole.

Nothing that is there is overwritten without a word, and nothing at all that is not an export of ours. What a
killed process leaves behind is cleared away by the next one, or put back.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError, fault
from workbench.runs.folder import Run
from workbench.runs.lock import hold, is_held

MARKER = "export.json"
"""What was exported, for programs; its presence makes a folder an export."""

_STAGING, _OLD = ".exporting-", ".replaced-"
_LOCK = ".lock"


@dataclass(frozen=True)
class Staging:
    """The hidden folder of an export that goes on."""

    folder: Path

    @property
    def id(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def lock(self) -> Path:
        """Locked while the export goes on."""
        return self.folder / _LOCK


def require_free(to: Path, run: Run, replace: bool) -> None:
    """Refuse, with a WorkbenchError, a place that is taken or must not be written to.

    Args:
        replace: an earlier export may give way.
    """
    if run.folder.resolve() in (to.resolve(), *to.resolve().parents):
        raise fault("this is inside the run's own folder", to, "name a place outside of it")
    _require_unused(to, replace)


def _require_unused(to: Path, replace: bool) -> None:
    try:
        taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    except OSError as error:
        raise _fault(error, to) from error
    if not taken:
        return
    if not to.is_dir():
        raise fault("a file is in the way", to, "name another folder")
    if not holds_export(to):
        raise fault(
            "the folder is not empty, and no export of ours", to, "name another one: it is left alone"
        )
    if not replace:
        raise fault("there is an export already", to, "--replace puts the new one in its place")


@contextmanager
def staging(to: Path) -> Iterator[Path]:
    """A hidden folder beside `to`, to be filled and then published; it is removed when it was not.

    Raises:
        WorkbenchError: the place cannot be written to.
    """
    place = Staging(to.with_name(f".{to.name}{_STAGING}{secrets.token_hex(4)}"))
    clear(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        place.folder.mkdir()
    except OSError as error:
        raise _fault(error, to) from error
    descriptor = None
    try:
        descriptor = hold(place)
        yield place.folder
    finally:
        if descriptor is not None:
            os.close(descriptor)
        shutil.rmtree(place.folder, ignore_errors=True)


def publish(folder: Path, to: Path, *, replace: bool) -> None:
    """Let a filled staging folder take its name; an export that was there is removed after that.

    Raises WorkbenchError: something has come there meanwhile, as to `require_free`; OSError: the disk is full
    or fails; what was there is there again then.
    """
    _require_unused(to, replace)
    (folder / _LOCK).unlink(missing_ok=True)
    for path in (*folder.rglob("*"), folder):
        _sync(path)
    if to.exists() and any(to.iterdir()):
        old = to.with_name(f".{to.name}{_OLD}{secrets.token_hex(4)}")
        to.rename(old)
        try:
            folder.rename(to)
        except OSError:
            old.rename(to)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        folder.rename(to)
    _sync(to.parent)


def clear(to: Path) -> None:
    """Remove what killed exports to `to` left behind; an export that one had just put aside comes back."""
    with suppress(OSError):
        for path in list(to.parent.iterdir()):
            if path.name.startswith(f".{to.name}{_STAGING}") and not is_held(Staging(path)):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(f".{to.name}{_OLD}"):
                if to.exists():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.rename(to)


def require_room(folder: Path, wanted: int) -> None:
    """Refuse, with a WorkbenchError, to write `wanted` bytes into a folder whose disk has fewer."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise fault(
            f"the disk has {free / 1e9:.2f} GB left, this takes up to {wanted / 1e9:.2f} GB",
            folder.parent,
            "free some space, or name a folder on another disk",
        )


def holds_export(folder: Path) -> bool:
    """Whether a folder is an export of ours."""
    try:
        return isinstance(json.loads((folder / MARKER).read_bytes()), dict)
    except (OSError, ValueError):
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fault(error: OSError, to: Path) -> WorkbenchError:
    return fault(f"cannot be written: {error.strerror or error}", to, "what was there before is untouched")
