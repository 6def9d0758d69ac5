"""Writing a file so that it is either the old one or the new one, whole, whatever happens in between."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from workbench.errors import fault

_HINTS = {
    errno.ENOSPC: "free some space; what was there before is untouched",
    errno.EDQUOT: "your quota is used up; what was there before is untouched",
    errno.EACCES: "check who owns the folder",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "the folder is missing",
}


def write_atomic(path: Path, data: str | bytes) -> None:
    """Replace the file at `path` by `data` (text as UTF-8, line ends as they are), or leave it untouched.

    The new content is on the disk before it takes the old one's name. The mode of an existing file is kept,
    and a symbolic link stays one: its target is replaced.

    Raises:
        WorkbenchError: the disk is full, the folder is missing or not writable. No temporary file is left.
    """
    try:
        content = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as e:
        raise fault(f"cannot be written: {data[e.start : e.end]!r} is no UTF-8 text", path) from e
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        _write_new(temporary, content, _mode(target))
        os.replace(temporary, target)
    except OSError as e:
        hint = _HINTS.get(e.errno or 0, "")
        raise fault(f"cannot be written: {e.strerror or e}", path, hint) from e
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def append_line(path: Path, line: str) -> None:
    """Append one line to a log, whole and on the disk; what a full disk cut short is taken back.

    Half a line that a killed writer left stays one of its own, which readers skip.

    Raises:
        WorkbenchError: the disk is full, the folder is missing or not writable.
    """
    data = (line + "\n").encode("utf-8", "replace")
    try:
        with path.open("a+b", buffering=0) as stream:
            start = os.fstat(stream.fileno()).st_size
            if start and os.pread(stream.fileno(), 1, start - 1) != b"\n":
                data = b"\n" + data
            try:
                while data:
                    data = data[stream.write(data) :]
                os.fsync(stream.fileno())
            except OSError:
                stream.truncate(start)
                raise
    except OSError as e:
        hint = _HINTS.get(e.errno or 0, "")
        raise fault(f"cannot be written: {e.strerror or e}", path, hint) from e


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _write_new(path: Path, content: bytes, mode: int | None) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        if mode is not None:
            os.fchmod(file, mode)
        os.fsync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable. The file is complete and in place by now, so a refusal is no failure."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(parent: Path, name: str) -> Path:
    """A new folder of this name, or with a number behind it: two who make one at once get two.

    Raises OSError.
    """
    parent.mkdir(exist_ok=True)
    number, chosen = 1, parent / name
    while True:
        try:
            chosen.mkdir()
            return chosen
        except FileExistsError:
            number += 1
            chosen = parent / f"{name}-{number}"
