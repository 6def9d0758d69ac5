"""JSON lines: one record a line. Row i is line i + 1, so an empty line is a row, and rejected as such."""

from workbench.data.example import Row
from workbench.data.files.json_text import parse_object
from workbench.data.files.lines import LineRows
from workbench.data.files.rows import RowError


class JsonlRows(LineRows):
    """Rows of a .jsonl or .ndjson file."""

    def parse(self, i: int, line: bytes) -> Row:
        if not line or line.isspace():
            raise RowError("empty line")
        try:
            return parse_object(line)
        except RowError as e:
            raise RowError(e.reason, f"line {i + 1}: {e.detail}") from e
