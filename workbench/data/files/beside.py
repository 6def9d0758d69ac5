"""Columns from parallel files: line i of each belongs to row i, as in DailyDialog's texts and emotions."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from workbench.data.example import Row
from workbench.data.files.lines import LabelLines
from workbench.data.files.packed import unpacked
from workbench.data.files.rows import PACKED, Cancelled, Progress, RowError, Rows, check_file
from workbench.errors import fault

_INDEXED_AT_ONCE = 64 << 20
"""Bytes that take no noticeable time: the numbers of lines are compared when the files are opened."""


class BesideRows(Rows):
    """The rows of `main`, each with one column more for every file beside it."""

    def __init__(self, main: Rows, beside: Mapping[str, Rows]) -> None:
        """`beside`: column to the lines of a file, as rows with the one column `text`.

        Raises:
            WorkbenchError: the numbers differ. Where the files are big, `build` and `len` raise it instead.
        """
        self.path = main.path
        self._main = main
        self._beside = dict(beside)
        self._all = (main, *beside.values())
        if sum(file.stat().st_size for file in self.files) <= _INDEXED_AT_ONCE:
            self.build()

    def __len__(self) -> int:
        self.build()
        return len(self._main)

    def __getitem__(self, i: int) -> Row:
        row = dict(self._main[i])
        for column, lines in self._beside.items():
            try:
                row[column] = lines[i]["text"]
            except RowError as e:
                raise RowError(e.reason, f"{lines.path.name}: {e.detail}") from e
            except IndexError:
                raise self._unequal() from None
        return row

    @property
    def known(self) -> int:
        return min(rows.known for rows in self._all)

    @property
    def complete(self) -> bool:
        return all(rows.complete for rows in self._all)

    @property
    def files(self) -> list[Path]:
        return [file for rows in self._all for file in rows.files]

    def place(self, i: int) -> str:
        return self._main.place(i)

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[Row | RowError]:
        others = [(column, rows, rows.scan(start, stop)) for column, rows in self._beside.items()]
        for row in self._main.scan(start, stop):
            joined = row if isinstance(row, RowError) else dict(row)
            for column, lines, scan in others:
                cell = next(scan, None)
                if cell is None:
                    raise self._unequal()
                if isinstance(joined, RowError):
                    continue
                if isinstance(cell, RowError):
                    joined = RowError(cell.reason, f"{lines.path.name}: {cell.detail}")
                else:
                    joined[column] = cell["text"]
            yield joined
        if stop is None:
            self.build()

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        for n, rows in enumerate(self._all):
            if not rows.complete:
                rows.build(None, cancelled)
            if not rows.complete:
                return
            if progress:
                progress((n + 1) / len(self._all))
        if len({len(rows) for rows in self._all}) > 1:
            raise self._unequal()

    def close(self) -> None:
        for rows in self._all:
            rows.close()

    def _unequal(self) -> Exception:
        """The error for files of different lengths."""
        count = len(self._main)
        differing = {rows.path: len(rows) for rows in self._beside.values() if len(rows) != count}
        counts = ", ".join(f"{path.name} has {lines:,} lines" for path, lines in differing.items())
        hint = "line i of each belongs to row i: a line is missing, or an empty one too many"
        return fault(f"{count:,} rows, but {counts}", self.path, hint)


def open_lines(path: Path) -> Rows:
    """The lines of a text file, packed or not, as rows with the one column `text`.

    Raises:
        WorkbenchError: it is missing, empty, or of a format that has no lines. OSError: it cannot be read.
    """
    check_file(path)
    if path.suffix.lower() in (".parquet", ".arrow"):
        raise fault("a file beside the rows is text, one line a row", path)
    rows = LabelLines(unpacked(path) if path.suffix.lower() in PACKED else path)
    rows.path = path
    return rows
