"""Packed files: unpacked once into the cache, so that their rows can be read by number.

The cache is `$XDG_CACHE_HOME/workbench/unpacked`, with a folder for each packed file as it was then: path,
size, time of change. What was used longest ago goes when all of it takes more than 20 GB.
"""

import gzip
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from workbench.data.files.rows import LINE_SUFFIXES, Rows, open_rows
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.paths import expanded

CACHE_LIMIT = 20 * 10**9
"""Bytes of all unpacked files together, and of any one: what is packed may be made to fill a disk."""
_CHUNK = 1 << 20
_KEEP_FREE = 2 * 10**9
"""Bytes that stay free on the disk."""
_IN_USE_SECONDS = 3600


def cache_folder() -> Path:
    """Where this program keeps what it can make again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else expanded("~/.cache")) / "workbench"


def open_packed(path: Path, nested: str, columns: Sequence[str]) -> Rows:
    """Rows of a .gz or .zst file. Raises WorkbenchError as `open_rows`, and OSError."""
    inner = path.with_suffix("").suffix.lower()
    if inner not in LINE_SUFFIXES:
        allowed = ", ".join(suffix + path.suffix.lower() for suffix in LINE_SUFFIXES)
        raise fault(
            "packed, but not a format that can be read", path, f"unpack it, or name it one of {allowed}"
        )
    file = unpacked(path)
    try:
        rows = open_rows(file, nested, columns)
    except WorkbenchError as e:  # speak of the file that the user knows
        shown = [Problem(p.what, p.where.replace(str(file), str(path)), p.hint) for p in e.problems]
        raise WorkbenchError(*shown) from e
    rows.path = path
    return rows


def unpacked(path: Path) -> Path:
    """The unpacked copy of a .gz or .zst file, made if there is none yet.

    Raises:
        WorkbenchError: it is broken, cut short, or unpacks to more than there is room for. Nothing is left.
        OSError: the packed file cannot be read.
    """
    state = path.stat()
    key = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    name = blake2b(key.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    file = cache_folder() / "unpacked" / name / path.with_suffix("").name
    with suppress(OSError):
        os.utime(file)  # used now
        return file
    try:
        file.parent.mkdir(0o700, parents=True, exist_ok=True)  # the packed file may be nobody else's to read
    except OSError as e:
        raise fault(f"no folder to unpack it into: {e.strerror or e}", file.parent) from e
    partial = file.with_name(f".{secrets.token_hex(4)}.tmp")
    try:
        _unpack(path, partial)
        os.replace(partial, file)
    except BaseException:
        partial.unlink(missing_ok=True)
        with suppress(OSError):
            file.parent.rmdir()
        raise
    _shrink(file.parent.parent)
    return file


def _unpack(path: Path, target: Path) -> None:
    """Write what is in `path` to `target`, while there is room."""
    written = 0
    try:
        with target.open("xb") as out:
            for chunk in _chunks(path):
                written += len(chunk)
                if written > CACHE_LIMIT:
                    what = f"unpacks to more than {CACHE_LIMIT / 1e9:.0f} GB"
                    raise fault(what, path, "unpack it yourself if that is right")
                if shutil.disk_usage(target.parent).free - len(chunk) < _KEEP_FREE:
                    what = f"no room to unpack it: it takes over {written / 1e9:.1f} GB"
                    hint = f"{_KEEP_FREE / 1e9:.0f} GB stay free; XDG_CACHE_HOME names another disk"
                    raise fault(what, path, hint)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())  # whole before it has its name, also when the power fails
    except OSError as e:
        raise fault(f"cannot be unpacked: {e.strerror or e}", path) from e


def _chunks(path: Path) -> Iterator[bytes]:
    """What a packed file holds. Several members, as after `cat a.gz b.gz`, are joined."""
    suffix = path.suffix.lower()
    try:
        yield from _inflated(path) if suffix == ".gz" else _decompressed(path)
    except EOFError as e:
        raise fault(f"the {suffix} file is cut short", path, "fetch it again") from e
    except (zlib.error, OSError, ValueError) as e:
        what = str(e).partition("\n")[0]
        if "Truncated" in what:
            raise fault(f"the {suffix} file is cut short", path, "fetch it again") from e
        raise fault(f"is not a {suffix} file, or a broken one: {what}", path, "fetch it again") from e


def _inflated(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _decompressed(path: Path) -> Iterator[bytes]:
    import pyarrow as pa  # its errors are kinds of ValueError and OSError

    with pa.OSFile(str(path)) as file, pa.CompressedInputStream(file, "zstd") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _shrink(folder: Path) -> None:
    """Take out what was used longest ago until the rest is within the limit; what was used lately stays."""
    entries = []
    for file in folder.glob("*/*"):
        with suppress(OSError):
            state = file.stat()
            entries.append((state.st_mtime, state.st_size, file))
    total = sum(size for _, size, _ in entries)
    for used, size, file in sorted(entries, key=lambda entry: entry[0]):
        if total <= CACHE_LIMIT or time.time() - used < _IN_USE_SECONDS:
            return
        with suppress(OSError):
            file.unlink()
            file.parent.rmdir()
            total -= size
