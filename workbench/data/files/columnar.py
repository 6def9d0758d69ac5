"""Rows of Arrow tables, which come in groups: one group is decoded at a time, and its rows turned into Python
in blocks."""

import sys
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from workbench.data.example import Row
from workbench.data.files.rows import RowError, Rows
from workbench.errors import fault

FAULTS = (
    pa.ArrowException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    NotImplementedError,
    OverflowError,
)
"""pyarrow raises its own kinds, and plain ones where a value has no Python form: a nanosecond time, a struct
with two fields of one name."""
_BLOCK = 256


class ColumnarRows(Rows):
    """Rows of a file of column groups. One lock: pyarrow's readers are not made for several threads."""

    def __init__(self, path: Path, columns: Sequence[str], groups: Sequence[int]) -> None:
        """`groups`: number of rows of each group. Raises WorkbenchError when two columns are named alike or
        the numbers make no sense."""
        self.path = path
        if any(count < 0 for count in groups) or sum(groups) > sys.maxsize:
            raise fault(f"broken {path.suffix.lower()[1:]}: impossible numbers of rows", path)
        if len(set(columns)) < len(columns):
            doubled = next(name for i, name in enumerate(columns) if name in columns[:i])
            raise fault(f"two columns are named {doubled!r}", path, "rename one of them")
        self._starts = [0, *accumulate(groups)]
        self._lock = Lock()
        self._group: tuple[int, Any] = (-1, None)
        self._block: tuple[int, list[Row]] = (-1, [])

    @abstractmethod
    def read_group(self, group: int) -> Any:
        """The table or batch of a group. Raises one of FAULTS."""

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, i: int) -> Row:
        if not 0 <= i < len(self):
            raise IndexError(i)
        with self._lock:
            first, rows = self._block
            if first <= i < first + len(rows):
                return rows[i - first]
            try:
                return self._decode(i)
            except FAULTS as e:
                raise RowError(f"broken {self.path.suffix.lower()[1:]}", first_line(e)) from e

    def _decode(self, i: int) -> Row:
        """Row `i`, and into the cache the rows around it, unless one of them has no Python form."""
        group = bisect_right(self._starts, i) - 1
        if self._group[0] != group:
            self._group = (-1, None)  # never two groups in memory
            self._group = (group, self.read_group(group))
        table, offset = self._group[1], i - self._starts[group]
        begin = offset - offset % _BLOCK
        try:
            rows = table.slice(begin, _BLOCK).to_pylist()
        except FAULTS:
            rows, begin = table.slice(offset, 1).to_pylist(), offset
        self._block = (self._starts[group] + begin, rows)
        row: Row = rows[offset - begin]
        return row


def first_line(error: Exception) -> str:
    """What pyarrow says, without the places in its own source."""
    return str(error).partition("\n")[0]
