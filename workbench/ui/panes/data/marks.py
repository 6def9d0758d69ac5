"""What became of every row of a source, two bits of side and three of mark in one byte a row."""

from typing import TYPE_CHECKING

from workbench.data.report import SourceReport
from workbench.data.selection import SIDES, Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNS = {"": "", "rejected": "✗", "filtered": "–", "duplicate": "=", "not taken": "~"}
"""Mark of a row to its sign; a duplicate may be in use nevertheless."""
_NAMES = tuple(SIGNS)
_SHORT = ("", "train", "valid", "test")


class Marks:
    """Side and mark of each row of one source."""

    def __init__(self, selection: Selection, source: int) -> None:
        """Ten milliseconds for a million rows."""
        import numpy as np

        report = selection.reports[source]
        codes = np.zeros(report.read, np.uint8)
        for index, side in enumerate(SIDES, 1):
            codes[_of_source(selection, side, source)] = index
        left_out = codes == 0
        for mark, rows in enumerate(_marked(report), 1):
            for chosen in rows:
                picked = np.asarray(chosen, np.int64)
                codes[picked] = (codes[picked] & 3) | mark << 2
                left_out[picked] = False
        again = np.asarray(selection.duplicates.rows, np.int64)
        again = again[np.asarray(selection.duplicates.sources) == source]
        codes[again] = (codes[again] & 3) | _NAMES.index("duplicate") << 2
        left_out[again] = False
        codes[left_out] = _NAMES.index("not taken") << 2
        self._codes = codes

    def side(self, row: int) -> str:
        """`train`, `valid`, `test`, or nothing."""
        return _SHORT[self._codes[row] & 3] if row < len(self._codes) else ""

    def mark(self, row: int) -> str:
        """Why the row stands out: a key of SIGNS."""
        return _NAMES[self._codes[row] >> 2] if row < len(self._codes) else ""


def _marked(report: SourceReport) -> "list[list[object]]":
    return [list(report.rejected.values()), list(report.filtered.values()), [report.duplicate]]


def _of_source(selection: Selection, side: str, source: int) -> "NDArray[np.int64]":
    import numpy as np

    origins = selection.sides[side]  # type: ignore[index]
    rows: NDArray[np.int64] = np.asarray(origins.rows, np.int64)
    chosen: NDArray[np.int64] = rows[np.asarray(origins.sources) == source]
    return chosen
