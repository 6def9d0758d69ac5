"""A file that many threads read by position.

Reads go through pread, not mmap: when another program cuts the file short, a mapped page kills the process
with SIGBUS, where pread returns fewer bytes.
"""

import os
from pathlib import Path

from workbench.data.files.rows import RowError


class SharedFile:
    """An open file without a position of its own. It closes when the last reader has let go of it."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read_into(self, buffer: memoryview, start: int) -> int:
        """Fill `buffer` from byte `start` on; returns the number of bytes there were. Raises OSError."""
        return os.preadv(self._descriptor, [buffer], start)

    def read(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`. Raises RowError when the file has become shorter or cannot be read."""
        parts = []
        try:
            while start < end and (part := os.pread(self._descriptor, end - start, start)):
                parts.append(part)
                start += len(part)
        except OSError as e:
            raise RowError("cannot be read", e.strerror or str(e)) from e
        if start < end:
            raise RowError("the file has become shorter since it was opened")
        return parts[0] if len(parts) == 1 else b"".join(parts)
