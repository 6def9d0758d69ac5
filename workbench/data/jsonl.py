"""JSON lines: one record a line. Row i is line i + 1, so an empty line is a row, and rejected as such."""

from pathlib import Path

from workbench.data.example import Row
from workbench.data.index import IndexedLines
from workbench.data.json_text import parse_object
from workbench.data.rows import Cancelled, Progress, RowError, Rows


class JsonlRows(Rows):
    """Rows of a .jsonl or .ndjson file, readable before the file is indexed to its end."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        self._lines = IndexedLines(path)

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
        line = self._lines[i]
        if not line.strip():
            raise RowError("empty line")
        try:
            return parse_object(line)
        except RowError as e:
            raise RowError(e.reason, f"line {i + 1}: {e.detail}") from e

    def close(self) -> None:
        self._lines.close()
