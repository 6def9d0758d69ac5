"""Parquet: a file of row groups, each of which is read when a row of it is asked for.

Some writers put a million rows into one group, whose texts would fill the memory. Such a group is decoded in
batches from its begin: in order that costs nothing, for a row further back it begins anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.files.columnar import FAULTS, ColumnarRows, first_line
from workbench.errors import fault

_BATCH_BYTES = 32 << 20
"""Bytes of a row group, unpacked, that are decoded at a time."""
_READ_BYTES = 1 << 20
"""Bytes that are read from a column at a time, in place of all that the group has of it."""


class ParquetRows(ColumnarRows):
    """Rows of a .parquet file."""

    def __init__(self, path: Path) -> None:
        """Raises WorkbenchError when the file is not parquet or names two columns alike."""
        try:
            self._file = pq.ParquetFile(path, buffer_size=_READ_BYTES)
            self._pieces = list(_pieces(self._file.metadata))
            columns = [str(name) for name in self._file.schema_arrow.names]
        except FAULTS as e:
            raise fault(f"cannot be read as parquet: {first_line(e)}", path) from e
        self._batches: Iterator[Any] = iter(())
        self._next = -1  # the piece that `_batches` gives next
        super().__init__(path, columns, [rows for _, _, rows in self._pieces])

    def read_group(self, group: int) -> Any:
        row_group, first, _ = self._pieces[group]
        if not first < self._next <= group:
            size = self._pieces[first][2]
            self._batches = self._file.iter_batches(size, row_groups=[row_group], use_threads=False)
            self._next = first
        piece = None
        while self._next <= group:
            piece = self._piece(self._pieces[self._next][2])
            self._next += 1
        return piece

    def _piece(self, rows: int) -> Any:
        """The next so many rows. pyarrow may give them as several batches."""
        batches, count = [], 0
        while count < rows:
            batch = next(self._batches, None)
            if batch is None:
                self._next = -1
                raise ValueError("a row group holds fewer rows than it says")
            batches.append(batch)
            count += batch.num_rows
        return pa.Table.from_batches(batches)

    def close(self) -> None:
        with self._lock:
            self._batches = iter(())
            self._file.close()


def _pieces(metadata: Any) -> Iterator[tuple[int, int, int]]:
    """For each batch that is decoded: its row group, the number of the group's first batch, its rows."""
    number = 0
    for group in range(metadata.num_row_groups):
        rows, size = metadata.row_group(group).num_rows, metadata.row_group(group).total_byte_size
        batch = max(1, min(rows, rows * _BATCH_BYTES // max(1, size)))
        first = number
        for begin in range(0, rows, batch):
            yield group, first, min(batch, rows - begin)
            number += 1
