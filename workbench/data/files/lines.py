"""Plain text: one row a line, whole, or cut at tabs into the columns that its source names."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.data.example import Row
from workbench.data.files.index import IndexedLines
from workbench.data.files.rows import NOT_UTF8, Cancelled, Progress, RowError, Rows


class LineRows(Rows):
    """Rows of which each is one line of a file, readable before the file is indexed to its end."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        self._lines = IndexedLines(path)

    def parse(self, i: int, line: bytes) -> Row:
        """Line `i` as a row. Raises RowError."""
        raise NotImplementedError

    @property
    def known(self) -> int:
        return self._lines.known

    @property
    def complete(self) -> bool:
        return self._lines.complete

    def build(self, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        self._lines.build(progress, cancelled)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, i: int) -> Row:
        return self.parse(i, self._lines[i])

    def scan(self, start: int = 0, stop: int | None = None) -> Iterator[Row | RowError]:
        parse = self.parse
        for i, line in enumerate(self._lines.scan(start, stop), start):
            if isinstance(line, RowError):
                yield line
                continue
            try:
                row: Row | RowError = parse(i, line)
            except RowError as error:
                row = error
            yield row

    def close(self) -> None:
        self._lines.close()


class TextRows(LineRows):
    """Rows of a .txt file: `{"text": line}`, or the cells between tabs under the names given."""

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        """Raises OSError."""
        super().__init__(path)
        self._columns = tuple(columns)

    def parse(self, i: int, line: bytes) -> Row:
        if not line or line.isspace():
            raise RowError("empty line", f"line {i + 1}")
        text = line_text(i, line)
        if not self._columns:
            return {"text": text}
        cells = text.split("\t")
        if len(cells) != len(self._columns):
            detail = f"line {i + 1}: {len(cells)} instead of {len(self._columns)}"
            raise RowError("wrong number of columns", detail)
        return dict(zip(self._columns, cells, strict=True))


class LabelLines(LineRows):
    """Lines of a file that stands beside another one, as `{"text": line}`: an empty one is an empty cell."""

    def parse(self, i: int, line: bytes) -> Row:
        return {"text": line_text(i, line)}


def line_text(i: int, line: bytes) -> str:
    """Text of line `i`. Raises RowError."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as e:
        raise RowError(NOT_UTF8, f"line {i + 1}: byte {e.start + 1} of the line") from e
