"""Parquet: a file of row groups, each of which is read when a row of it is asked for."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workbench.data.columnar import FAULTS, ColumnarRows, first_line
from workbench.errors import fault


class ParquetRows(ColumnarRows):
    """Rows of a .parquet file."""

    def __init__(self, path: Path) -> None:
        """Raises WorkbenchError when the file is not parquet or names two columns alike."""
        try:
            self._file = pq.ParquetFile(path)
            groups = [self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)]
            columns = [str(name) for name in self._file.schema_arrow.names]
        except FAULTS as e:
            raise fault(f"cannot be read as parquet: {first_line(e)}", path) from e
        super().__init__(path, columns, groups)

    def read_group(self, group: int) -> Any:
        return self._file.read_row_group(group)

    def close(self) -> None:
        with self._lock:
            self._file.close()
