"""Where each line of a file begins: eight bytes a line, readable from the first chunk on.

The scan compares one mebibyte at a time in numpy, which stays in the CPU's cache: several times as fast as
with chunks of 64 MiB. No file is kept beside the data: scanning takes a second or so for a gigabyte.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from workbench.data.rows import Cancelled, Progress, RowError
from workbench.data.shared_file import SharedFile
from workbench.errors import fault

CHUNK = 1 << 20
FIRST_CHUNK = 1 << 16
"""Scanned when the file is opened, without numpy, whose import alone takes longer than the first rows may."""
_SCAN_BLOCK = 1 << 16
"""Bytes read at a time by `scan`. Much bigger blocks get a mapping each from the allocator, which is slower
than reading line by line."""
_REPORT_EVERY = 32 << 20
_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(b"\n")


class IndexedLines:
    """The lines of a file as bytes, by number, while the index is still being built and after.

    A line that has no newline at the end of the file counts as well; a byte order mark belongs to no line.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        self._file: SharedFile | None = SharedFile(path)
        self._size = self._file.size
        self._start = len(_BOM) if self._file.read(0, min(3, self._size)) == _BOM else 0
        self._ends = array("q")  # byte after the newline of each line
        self._scanned = self._start
        self._lock = Lock()
        self._buffer = memoryview(b"")
        self._scan(min(FIRST_CHUNK, self._size))

    @property
    def known(self) -> int:
        """Lines that can be read at once."""
        return len(self._ends)

    @property
    def complete(self) -> bool:
        """Whether the whole file is indexed."""
        return self._scanned >= self._size

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        """Index the rest of the file. Raises WorkbenchError when it cannot be read any more."""
        reported = 0
        while not self.complete and not (cancelled and cancelled()):
            self._scan(CHUNK)
            if progress and (self.complete or self._scanned - reported >= _REPORT_EVERY):
                reported = self._scanned
                progress(min(1.0, reported / self._size))

    def __len__(self) -> int:
        """Lines of the whole file; indexes what is left of it."""
        self.build()
        return self.known

    def __getitem__(self, i: int) -> bytes:
        """Line `i` without its line end. Raises IndexError, or RowError when the file has shrunk."""
        while i >= self.known and not self.complete:
            self._scan(CHUNK)
        if not 0 <= i < self.known:
            raise IndexError(i)
        line = self._read(self._ends[i - 1] if i else self._start, self._ends[i])
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[bytes | RowError]:
        """Lines `start` to `stop` in order, read in blocks; those that the file has lost since it was opened
        as errors."""
        i = start
        while stop is None or i < stop:
            while i >= self.known and not self.complete:
                self._scan(CHUNK)
            last = self.known if stop is None else min(stop, self.known)
            if i >= last:
                return
            begin = self._ends[i - 1] if i else self._start
            end = max(i + 1, bisect_right(self._ends, begin + _SCAN_BLOCK, i, last))
            try:
                lines = self._read(begin, self._ends[end - 1]).removesuffix(b"\n").split(b"\n")
            except RowError:
                lines = []
            if len(lines) == end - i:
                yield from (line.removesuffix(b"\r") for line in lines)
            else:  # another program has changed the file since
                yield from map(self._line_or_error, range(i, end))
            i = end

    def close(self) -> None:
        """Let go of the file."""
        self._file = None

    def _read(self, start: int, end: int) -> bytes:
        file = self._file
        if file is None:
            raise fault("has been closed", self.path)
        return file.read(start, end)

    def _line_or_error(self, i: int) -> bytes | RowError:
        try:
            return self[i]
        except RowError as error:
            return error

    def _scan(self, length: int) -> None:
        """Index the next `length` bytes; the lock makes room for several threads that want the same lines."""
        with self._lock:
            file, start = self._file, self._scanned
            if self.complete:
                return
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
            self._ends.frombytes(_line_ends(self._buffer[:read], start))
            if start + read >= self._size and (self._ends[-1] if self._ends else self._start) < start + read:
                self._ends.append(start + read)
            self._scanned = start + read
            if self.complete:
                self._buffer = memoryview(b"")


def _line_ends(block: memoryview, start: int) -> bytes:
    """Positions after each newline of `block`, which begins at byte `start` of its file: native int64."""
    if len(block) <= FIRST_CHUNK:
        return array("q", [start + found.end() for found in _NEWLINE.finditer(block)]).tobytes()
    import numpy as np

    newlines = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
    return (newlines + (start + 1)).astype(np.int64, copy=False).tobytes()
