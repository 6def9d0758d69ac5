"""Files of lines that only grow: a kill leaves half a line at most, and a resume writes none twice."""

import os
import time
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from workbench.errors import fault
from workbench.evaluation.records import Record, parse_records, read_records, to_lines
from workbench.runs.events import Position

SYNC_SECONDS = 5.0
_CHUNK_BYTES = 64 * 1024
_Line = TypeVar("_Line", bound=Record)


class Lines(Generic[_Line]):
    """Appends records; those that are there stay, and half a last line is cut off first.

    Args:
        path: the file; its folder is made.
        kind: of its records.
        key: what tells two records apart.

    Attributes:
        seen: keys of all records that are written.

    Raises:
        WorkbenchError: the file cannot be opened, or holds a line that is no record.
    """

    def __init__(self, path: Path, kind: type[_Line], key: Callable[[_Line], Hashable]) -> None:
        self.path = path
        self._key = key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise fault(f"cannot be written: {error.strerror or error}", path) from error
        try:
            os.ftruncate(self._file, _whole_lines(self._file))
            self.seen = {key(record) for record in read_records(path, kind)}
        except BaseException:
            os.close(self._file)
            raise
        self._synced = time.monotonic()

    def append(self, records: Iterable[_Line]) -> None:
        """Write records; they are with the kernel when this returns, and now and then on the disk itself.

        Raises OSError: the disk is full. What was begun is cut off upon the next opening.
        """
        records = list(records)
        left = memoryview(to_lines(records))
        while left:
            left = left[os.write(self._file, left) :]
        self.seen.update(map(self._key, records))
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        """Let go of the file; what was written is on the disk."""
        self._sync()
        os.close(self._file)

    def __enter__(self) -> "Lines[_Line]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced = time.monotonic()


def _whole_lines(file: int) -> int:
    """Where the last line break is, in bytes from the start."""
    end = os.fstat(file).st_size
    while end:
        start = max(0, end - _CHUNK_BYTES)
        at = os.pread(file, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


class Tail(Generic[_Line]):
    """Reads a growing file of records, each line once.

    Args:
        path: the file; it need not be there yet.
        kind: of its records.
    """

    def __init__(self, path: Path, kind: type[_Line]) -> None:
        self.path = path
        self._kind = kind
        self._position = Position()
        self._line = 0

    def read(self) -> list[_Line]:
        """The records since the last call; half a last line waits until it is whole.

        Raises WorkbenchError: unreadable, or a line that is no record, with its number.
        """
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise fault(f"cannot be read: {error.strerror or error}", self.path) from None
        try:
            left = os.fstat(file).st_size - self._position.offset
            piece = os.pread(file, max(0, left), self._position.offset)
            end = piece.rfind(b"\n") + 1
            self._position.advance(file, end)
        finally:
            os.close(file)
        found = list(parse_records(piece[:end], self._kind, self.path, self._line))
        self._line += piece.count(b"\n", 0, end)
        return found
