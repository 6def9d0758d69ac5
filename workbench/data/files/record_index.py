"""Where each record of a CSV file begins, found as far as it is asked for: a quoted cell may hold line ends.

Where a block holds no quote, its line ends are those of its records, and are found as in any text. Otherwise
the csv module goes through it: it alone knows which quotes count.
"""

import csv
import io
from array import array
from pathlib import Path

from workbench.data.files.index import Index, newline_ends
from workbench.errors import fault

_LONGEST = 16 << 20
"""Bytes of one record: what is longer has lost a quote."""


class IndexedRecords(Index):
    """The records of a .csv or .tsv file."""

    def __init__(self, path: Path, delimiter: str) -> None:
        """Raises OSError, and WorkbenchError as `scan_next`."""
        self._delimiter = delimiter
        super().__init__(path)

    def ends_in(self, block: memoryview, start: int, is_last: bool) -> tuple[bytes, int]:
        """As in `Index`. Raises WorkbenchError when a quote is never closed."""
        data = bytes(block)
        line_ends = newline_ends(block, start)
        if is_last and not data.endswith(b"\n"):
            line_ends += array("q", [start + len(data)]).tobytes()
        ends = array("q")
        ends.frombytes(line_ends)
        if b'"' in data:
            ends = self._record_ends(data[: ends[-1] - start] if ends else b"", ends)
        # What comes before an open record is readable: the error is for who wants the record itself
        if not ends and (is_last or len(data) >= _LONGEST):
            raise self._never_closed(start, is_last)
        return ends.tobytes(), ends[-1] - start if ends else 0

    def _record_ends(self, data: bytes, line_ends: "array[int]") -> "array[int]":
        """Ends of the records in `data`, of which the last one may go on after it."""
        ends = array("q")
        # Quotes, delimiters and line ends are ASCII; the other bytes only have to be characters of some kind
        lines = io.StringIO(data.decode("latin-1"), newline="\n")
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            try:
                for _ in reader:
                    ends.append(line_ends[reader.line_num - 1])
                return ends
            except csv.Error as e:
                if str(e) == "unexpected end of data":
                    return ends
                ends.append(line_ends[reader.line_num - 1])  # a broken record is an error when it is read

    def _never_closed(self, begin: int, is_last: bool) -> Exception:
        line = 1 + sum(
            self.read(at, min(at + _LONGEST, begin)).count(b"\n") for at in range(0, begin, _LONGEST)
        )
        if is_last:
            rest = self.read(begin, self._size)
            count = rest.count(b"\n") + (not rest.endswith(b"\n"))
            what = f"a quote in the record that begins here is never closed ({count} lines)"
        else:
            what = f"the record that begins here takes more than {_LONGEST >> 20} MB: perhaps a quote is open"
        hint = 'a quote inside a quoted cell is written twice: ""'
        if self._delimiter == "\t":
            hint += "; if quotes mean nothing here, name the file .txt and give `columns`"
        return fault(what, f"{self.path}:{line}", hint)
