"""Arrow IPC, as `datasets` saves it: a stream of record batches, or a file with a directory of them.

No memory map: when another program cuts the file short, a mapped page kills the process with SIGBUS.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.data.files.columnar import FAULTS, ColumnarRows, first_line
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
            columns = [str(name) for name in self._schema.names]
        except FAULTS as e:
            raise fault(f"cannot be read as Arrow: {first_line(e)}", path) from e
        super().__init__(path, columns, groups)

    def read_group(self, group: int) -> Any:
        if self._is_stream:
            self._file.seek(self._begins[group])
            batch = pa.ipc.read_record_batch(_message(self._file, "record batch"), self._schema)
        else:
            batch = self._reader.get_batch(group)
        batch.validate(full=True)  # offsets that point outside the data would be followed
        return batch

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _batches(file: Any) -> tuple[Any, list[int], list[int]]:
    """Schema of a stream, and of each record batch its first byte and its number of rows."""
    size = file.size()
    schema = pa.ipc.read_schema(_message(file, "schema"))
    begins: list[int] = []
    counts: list[int] = []
    while (begin := file.tell()) < size:
        try:
            message = _message(file, "record batch")
        except EOFError:
            break
        begins.append(begin)
        counts.append(pa.ipc.read_record_batch(message, schema).num_rows)
    return schema, begins, counts


def _message(file: Any, kind: str) -> Any:
    """The next message. Its kind is looked at first: pyarrow takes any header for the one that is asked for,
    and reads outside of its memory then."""
    message = pa.ipc.read_message(file)
    if message.type == "dictionary":
        raise pa.ArrowNotImplementedError("it is a stream with dictionaries; save it as parquet")
    if message.type != kind:
        raise pa.ArrowInvalid(f"a {message.type} where a {kind} belongs")
    return message
