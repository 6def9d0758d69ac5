"""CSV and TSV: one pass finds where records begin, since a quoted cell may hold line ends. Cells are text."""

import csv
import io
import sys
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.data.example import Row
from workbench.data.rows import RowError, Rows
from workbench.data.shared_file import SharedFile
from workbench.errors import fault

_BOM = b"\xef\xbb\xbf"


class DelimitedRows(Rows):
    """Records of a .csv or .tsv file. Where no columns are named, its first record names them."""

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        """Raises WorkbenchError for an unusable header or a quote that is never closed, and OSError."""
        csv.field_size_limit(sys.maxsize)  # the module's limit of 128 KiB a cell is for all readers at once
        self.path = path
        self._file: SharedFile | None = SharedFile(path)
        with path.open("rb") as file:
            header = file.readline()
        self._start = len(_BOM) if header.startswith(_BOM) else 0
        self._delimiter = _delimiter(path, header)
        self._ends = _record_ends(path, self._start, self._delimiter)
        self._columns = list(columns) or self._header()
        self._first = 0 if columns else 1

    def __len__(self) -> int:
        return len(self._ends) - self._first

    def __getitem__(self, i: int) -> Row:
        if not 0 <= i < len(self):
            raise IndexError(i)
        record = self._record(i + self._first)
        if not record:
            raise RowError("empty line")
        if len(record) != len(self._columns):
            raise RowError("wrong number of columns", f"{len(record)} instead of {len(self._columns)}")
        return dict(zip(self._columns, record, strict=True))

    def close(self) -> None:
        self._file = None

    def _record(self, i: int) -> list[str]:
        """The cells of record `i`, a header counted. Raises RowError."""
        if self._file is None:
            raise fault("has been closed", self.path)
        data = self._file.read(self._ends[i - 1] if i else self._start, self._ends[i])
        try:
            lines = io.StringIO(data.decode("utf-8"), newline="\n")
            return next(csv.reader(lines, delimiter=self._delimiter, strict=True), [])
        except UnicodeDecodeError as e:
            raise RowError("not UTF-8", f"byte {e.start + 1} of the record") from e
        except csv.Error as e:
            raise RowError("broken CSV", str(e)) from e

    def _header(self) -> list[str]:
        try:
            cells = self._record(0)
        except RowError as e:
            hint = "save it as UTF-8" if e.reason == "not UTF-8" else ""
            raise fault(str(e), f"{self.path}:1", hint) from e
        names = [cell.strip() or f"column {n}" for n, cell in enumerate(cells, 1)]
        if not any(cell.strip() for cell in cells):
            raise fault("the first line names no columns", f"{self.path}:1")
        first: dict[str, int] = {}
        for n, name in enumerate(names, 1):
            if first.setdefault(name, n) != n:
                what = f"two columns are named {name!r} ({first[name]} and {n})"
                raise fault(what, f"{self.path}:1", "rename one of them")
        return names


def _delimiter(path: Path, header: bytes) -> str:
    """Tab for .tsv; for .csv the comma, or the semicolon of spreadsheets with decimal commas."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    return ";" if header.count(b";") > header.count(b",") else ","


def _record_ends(path: Path, start: int, delimiter: str) -> "array[int]":
    """The byte after each record, the header included. Raises WorkbenchError when a quote is never closed."""
    ends = array("q")
    position, lines = start, 0

    def text() -> Iterator[str]:
        nonlocal position, lines
        with path.open("rb") as file:
            file.seek(start)
            for line in file:
                position += len(line)
                lines += 1
                yield line.decode("utf-8", "replace")  # a row of other bytes is rejected when it is read

    reader = csv.reader(text(), delimiter=delimiter, strict=True)
    while True:
        begun = lines + 1
        try:
            next(reader)
        except StopIteration:
            return ends
        except csv.Error as e:
            if str(e) == "unexpected end of data":
                what = f"a quote in the record that begins here is never closed ({lines - begun + 1} lines)"
                hint = 'a quote inside a quoted cell is written twice: ""'
                if delimiter == "\t":
                    hint += "; if quotes mean nothing here, name the file .txt and give `columns`"
                raise fault(what, f"{path}:{begun}", hint) from e
        ends.append(position)
