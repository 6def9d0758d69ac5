"""Where each row of a text file begins: eight bytes a row, readable from the first chunk on.

The scan compares one mebibyte at a time in numpy, which stays in the CPU's cache: several times as fast as
with chunks of 64 MiB. No file is kept beside the data: scanning takes a second or so for a gigabyte.
"""

import re
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from workbench.data.files.rows import Cancelled, Progress, RowError
from workbench.data.files.shared_file import SharedFile
from workbench.errors import fault

CHUNK = 1 << 20
FIRST_CHUNK = 1 << 16
"""Scanned when the file is opened, without numpy, whose import alone takes longer than the first rows may."""
_BLOCK = 1 << 16
"""Bytes read at a time by `blocks`. Much bigger ones get a mapping each from the allocator, which is slower
than reading row by row."""
_REPORT_EVERY = 32 << 20
_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(b"\n")


class Index(ABC):
    """The rows of a file as bytes, by number, while the index is still being built and after.

    A byte order mark belongs to no row.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError, and WorkbenchError where a small file is broken as a whole."""
        self.path = path
        self._file: SharedFile | None = SharedFile(path)
        self._size = self._file.size
        self._start = len(_BOM) if self._file.read(0, min(3, self._size)) == _BOM else 0
        self._ends = array("q")  # byte after each row
        self._scanned = self._start
        self._lock = Lock()
        self._buffer = memoryview(b"")
        self.scan_next(FIRST_CHUNK)
        if self._size <= FIRST_CHUNK:
            self.build()

    @abstractmethod
    def ends_in(self, block: memoryview, start: int, is_last: bool) -> tuple[bytes, int]:
        """Ends of the rows that begin and end in `block`.

        Args:
            block: bytes of the file, from where the last call left off.
            start: where they stand in the file.
            is_last: the file ends with them.

        Returns:
            positions after each row in the file as native int64, and the number of bytes that are done with:
            0 asks for a bigger block.
        """

    @property
    def known(self) -> int:
        """Rows that can be read at once."""
        return len(self._ends)

    @property
    def complete(self) -> bool:
        """Whether the whole file is indexed."""
        return self._scanned >= self._size

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        """Index the rest of the file. Raises WorkbenchError when it cannot be read any more."""
        reported = 0
        while not self.complete and not (cancelled and cancelled()):
            self.scan_next(CHUNK)
            if progress and (self.complete or self._scanned - reported >= _REPORT_EVERY):
                reported = self._scanned
                progress(min(1.0, reported / self._size))

    def __len__(self) -> int:
        """Rows of the whole file; indexes what is left of it."""
        self.build()
        return self.known

    def __getitem__(self, i: int) -> bytes:
        """Row `i` with its line end. Raises IndexError, or RowError when the file has shrunk."""
        while i >= self.known and not self.complete:
            self.scan_next(CHUNK)
        if not 0 <= i < self.known:
            raise IndexError(i)
        return self.read(self._ends[i - 1] if i else self._start, self._ends[i])

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int, bytes]]:
        """Rows `start` to `stop` in order, several at a time: the number of the first, that after the last,
        and the bytes of all; these are empty where the file has become shorter."""
        i = start
        while stop is None or i < stop:
            while i >= self.known and not self.complete:
                self.scan_next(CHUNK)
            last = self.known if stop is None else min(stop, self.known)
            if i >= last:
                return
            begin = self._ends[i - 1] if i else self._start
            end = max(i + 1, bisect_right(self._ends, begin + _BLOCK, i, last))
            try:
                data = self.read(begin, self._ends[end - 1])
            except RowError:
                data = b""
            yield i, end, data
            i = end

    def close(self) -> None:
        """Let go of the file."""
        self._file = None

    def read(self, start: int, end: int) -> bytes:
        """Bytes of the file. Raises RowError when it has become shorter, WorkbenchError when it is closed."""
        file = self._file
        if file is None:
            raise fault("has been closed", self.path)
        return file.read(start, end)

    def scan_next(self, length: int) -> None:
        """Index about the next `length` bytes; several threads may want the same rows.

        Raises:
            WorkbenchError: the file cannot be read, or has been closed.
        """
        with self._lock:
            done = 0
            while not done and not self.complete:
                done = self._scan(min(length, self._size - self._scanned))
                length *= 2  # for a row that is longer
            if self.complete:
                self._buffer = memoryview(b"")

    def _scan(self, length: int) -> int:
        file, start = self._file, self._scanned
        if file is None:
            raise fault("has been closed", self.path)
        if len(self._buffer) < length:
            self._buffer = memoryview(bytearray(length))
        try:
            read = file.read_into(self._buffer[:length], start)
        except OSError as e:
            raise fault(f"cannot be read: {e.strerror or e}", self.path) from e
        if read == 0:  # cut short since it was opened: what was indexed stays
            self._size = start
            return 0
        ends, done = self.ends_in(self._buffer[:read], start, start + read >= self._size)
        self._ends.frombytes(ends)
        self._scanned = start + done
        return done


class IndexedLines(Index):
    """The lines of a file. A last line that has no newline counts as well."""

    def __getitem__(self, i: int) -> bytes:
        """Line `i` without its line end. Raises as `Index`."""
        return super().__getitem__(i).removesuffix(b"\n").removesuffix(b"\r")

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[bytes | RowError]:
        """Lines `start` to `stop` in order; those that the file has lost since it was opened as errors."""
        for first, end, data in self.blocks(start, stop):
            lines = data.removesuffix(b"\n").split(b"\n")
            if data and len(lines) == end - first:
                yield from (line.removesuffix(b"\r") for line in lines)
            else:  # another program has changed the file since
                yield from map(self._line_or_error, range(first, end))

    def ends_in(self, block: memoryview, start: int, is_last: bool) -> tuple[bytes, int]:
        ends = newline_ends(block, start)
        if is_last and block[-1] != 10:
            ends += array("q", [start + len(block)]).tobytes()
        return ends, len(block)  # a line may go on in the next block: only its end counts

    def _line_or_error(self, i: int) -> bytes | RowError:
        try:
            return self[i]
        except RowError as error:
            return error


def newline_ends(block: memoryview, start: int) -> bytes:
    """Positions after each newline of `block`, which begins at byte `start` of its file: native int64."""
    if len(block) <= FIRST_CHUNK:
        return array("q", [start + found.end() for found in _NEWLINE.finditer(block)]).tobytes()
    import numpy as np

    newlines = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
    return (newlines + (start + 1)).astype(np.int64, copy=False).tobytes()
