"""Parquet: row groups are decoded on demand, one at a time, and their rows turned into Python in blocks."""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.example import Row
from workbench.data.rows import RowError, Rows
from workbench.errors import fault

_BLOCK = 256
# pyarrow raises its own kinds, and plain ones where a value has no Python form: a nanosecond time, a struct
# with two fields of one name
_FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, NotImplementedError, OverflowError)


class ParquetRows(Rows):
    """Rows of a .parquet file. One lock: pyarrow's reader is not made for several threads."""

    def __init__(self, path: Path) -> None:
        """Raises WorkbenchError when the file is not parquet or names two columns alike."""
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
            groups = [self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)]
            columns = [str(name) for name in self._file.schema_arrow.names]
        except _FAULTS as e:
            raise fault(f"cannot be read as parquet: {_first_line(e)}", path) from e
        if len(set(columns)) < len(columns):
            doubled = next(name for i, name in enumerate(columns) if name in columns[:i])
            raise fault(f"two columns are named {doubled!r}", path, "rename one of them")
        self._starts = [0, *accumulate(groups)]
        self._lock = Lock()
        self._group: tuple[int, Any] = (-1, None)
        self._block: tuple[int, list[Row]] = (-1, [])

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
            except _FAULTS as e:
                raise RowError("broken parquet", _first_line(e)) from e

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _decode(self, i: int) -> Row:
        """Row `i`, and into the cache the rows around it, unless one of them has no Python form."""
        group = bisect_right(self._starts, i) - 1
        if self._group[0] != group:
            self._group = (group, self._file.read_row_group(group))
        table, offset = self._group[1], i - self._starts[group]
        begin = offset - offset % _BLOCK
        try:
            rows = table.slice(begin, _BLOCK).to_pylist()
        except _FAULTS:
            rows, begin = table.slice(offset, 1).to_pylist(), offset
        self._block = (self._starts[group] + begin, rows)
        row: Row = rows[offset - begin]
        return row


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
