"""CSV and TSV. Cells are text."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from workbench.data.example import Row
from workbench.data.files.record_index import IndexedRecords
from workbench.data.files.rows import NOT_UTF8, Cancelled, Progress, RowError, Rows
from workbench.errors import fault


class DelimitedRows(Rows):
    """Records of a .csv or .tsv file. Where no columns are named, its first record names them."""

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        """Raises WorkbenchError for an unusable header or a quote that is never closed, and OSError."""
        csv.field_size_limit(sys.maxsize)  # the module's limit of 128 KiB a cell is for all readers at once
        self.path = path
        with path.open("rb") as file:
            self._delimiter = _delimiter(path, file.readline())
        self._records = IndexedRecords(path, self._delimiter)
        self._columns = list(columns) or self._header()
        self._first = 0 if columns else 1

    @property
    def known(self) -> int:
        return max(0, self._records.known - self._first)

    @property
    def complete(self) -> bool:
        return self._records.complete

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        self._records.build(progress, cancelled)

    def __len__(self) -> int:
        self.build()
        return self.known

    def __getitem__(self, i: int) -> Row:
        if i < 0:
            raise IndexError(i)
        n = i + self._first
        return self._row(self._cells(self._records[n], n), n)

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[Row | RowError]:
        first = self._first
        for begin, end, data in self._records.blocks(start + first, None if stop is None else stop + first):
            try:
                lines = io.StringIO(data.decode("utf-8"), newline="\n")
                records = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
            except (UnicodeDecodeError, csv.Error):
                records = []
            if len(records) == end - begin:
                yield from map(self._row_or_error, records, count(begin))
            else:
                yield from super().scan(begin - first, end - first)

    def close(self) -> None:
        self._records.close()

    def _row(self, cells: list[str], n: int) -> Row:
        if not cells:
            raise RowError("empty line")
        if len(cells) != len(self._columns):
            detail = f"record {n + 1}: {len(cells)} instead of {len(self._columns)}"
            raise RowError("wrong number of columns", detail)
        return dict(zip(self._columns, cells, strict=True))

    def _row_or_error(self, cells: list[str], n: int) -> Row | RowError:
        try:
            return self._row(cells, n)
        except RowError as error:
            return error

    def _cells(self, record: bytes, n: int) -> list[str]:
        """Cells of record `n` of the file, the header being 0. Raises RowError."""
        try:
            lines = io.StringIO(record.decode("utf-8"), newline="\n")
            return next(csv.reader(lines, delimiter=self._delimiter, strict=True), [])
        except UnicodeDecodeError as e:
            raise RowError(NOT_UTF8, f"record {n + 1}: byte {e.start + 1} of the record") from e
        except csv.Error as e:
            raise RowError("broken CSV", f"record {n + 1}: {e}") from e

    def _header(self) -> list[str]:
        try:
            cells = self._cells(self._records[0], 0)
        except RowError as e:
            raise fault(str(e), f"{self.path}:1") from e
        names = [cell.strip() or f"column {n}" for n, cell in enumerate(cells, 1)]
        if not any(cell.strip() for cell in cells):
            raise fault("the first line names no columns", f"{self.path}:1")
        first: dict[str, int] = {}
        for n, name in enumerate(names, 1):
            if first.setdefault(name, n) != n:
                what = f"two columns are named {name!r} ({first[name]} and {n})"
                hint = "rename one of them; if this is a row, name them in the source: columns = [...]"
                raise fault(what, f"{self.path}:1", hint)
        return names


def _delimiter(path: Path, header: bytes) -> str:
    """Tab for .tsv; for .csv the comma, or the semicolon of spreadsheets with decimal commas."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    return ";" if header.count(b";") > header.count(b",") else ","
