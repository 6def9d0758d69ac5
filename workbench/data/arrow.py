"""Arrow IPC, as `datasets` saves it: a stream of record batches, or a file with a directory of them.

No memory map: when another program cuts the file short, a mapped page kills the process with SIGBUS.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.data.columnar import FAULTS, ColumnarRows, first_line
from workbench.errors import fault

_FILE_MAGIC = b"ARROW1"


class ArrowRows(ColumnarRows):
    """Rows of a .arrow file of either form. A stream is gone through once for where its batches begin."""

    def __init__(self, path: Path) -> None:
        """Raises WorkbenchError when the file is not Arrow, is cut short, or names two columns alike."""
        try:
            with path.open("rb") as file:
                self._is_stream = file.read(len(_FILE_MAGIC)) != _FILE_MAGIC
            self._file = pa.OSFile(str(path))
            if self._is_stream:
                self._schema, self._begins, groups = _batches(self._file)
            else:
                self._reader = pa.ipc.open_file(self._file)
                self._schema = self._reader.schema
                groups = [self._reader.get_batch(n).num_rows for n in range(self._reader.num_record_batches)]
        except FAULTS as e:
            raise fault(f"cannot be read as Arrow: {first_line(e)}", path) from e
        super().__init__(path, [str(name) for name in self._schema.names], groups)

    def read_group(self, group: int) -> Any:
        if self._is_stream:
            self._file.seek(self._begins[group])
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(self._file), self._schema)
        else:
            batch = self._reader.get_batch(group)
        batch.validate(full=True)  # offsets that point outside the data would be followed
        return batch

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _batches(file: Any) -> tuple[Any, list[int], list[int]]:
    """Schema of a stream, and of each record batch its first byte and its number of rows."""
    schema = pa.ipc.read_schema(pa.ipc.read_message(file))
    begins: list[int] = []
    counts: list[int] = []
    while True:
        begin = file.tell()
        try:
            message = pa.ipc.read_message(file)
        except EOFError:
            return schema, begins, counts
        if message.type == "dictionary":
            raise pa.ArrowNotImplementedError("a stream with dictionaries; save it as parquet")
        begins.append(begin)
        counts.append(pa.ipc.read_record_batch(message, schema).num_rows)
