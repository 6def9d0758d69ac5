"""Which rows can be looked at by themselves: those of a reason, of a side, or with a tag."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from workbench.data.example import Example, Rejected
from workbench.data.selection import SIDES, Origins, Selection

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset

Places = Sequence[tuple[int, int]]


class RowsOf(Places):
    """Rows of one source as (source, row): eight bytes each, and found without a walk."""

    def __init__(self, source: int, rows: Sequence[int]) -> None:
        """`rows` ascend."""
        self._source, self._rows = source, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, i: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, i: slice) -> "RowsOf": ...
    def __getitem__(self, i: int | slice) -> "tuple[int, int] | RowsOf":
        if isinstance(i, slice):
            return RowsOf(self._source, self._rows[i])
        return self._source, self._rows[i]

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and place[0] == self._source and self._at(place[1]) is not None

    def index(self, value: tuple[int, int], start: int = 0, stop: int | None = None) -> int:
        """Where a row stands. Raises ValueError when it is not there."""
        found = self._at(value[1])
        if found is None or value[0] != self._source:
            raise ValueError(value)
        return found

    def _at(self, row: int) -> int | None:
        at = bisect_left(self._rows, row)
        return at if at < len(self._rows) and self._rows[at] == row else None


@dataclass(frozen=True)
class Offer:
    """A set of rows with their number; `rows` may read every row."""

    title: str
    count: int
    rows: "Callable[[Dataset], Places]"

    def __str__(self) -> str:
        return f"{self.title}  ({self.count:,})"


def offers(selection: Selection, source: int) -> list[Offer]:
    """What there is to choose among for the rows of one source; tags look at all sources."""
    report = selection.reports[source]
    found = []
    for mark, reasons in (("✗ rejected", report.rejected), ("– filtered", report.filtered)):
        for reason, rows in sorted(reasons.items(), key=lambda item: -len(item[1])):
            found.append(of_rows(f"{mark}: {reason}", source, rows))
    if len(report.duplicate):
        found.append(of_rows("= duplicate, left out", source, report.duplicate))
    again = _rows(selection.duplicates, source)
    if again and not len(report.duplicate):
        found.append(of_rows("= duplicate, in use", source, again))
    for side in SIDES:
        if rows := _rows(selection.sides[side], source):
            found.append(of_rows(f"side: {side}", source, rows))
    for name, sides in selection.tags.items():
        for value in sorted({value for counter in sides.values() for value in counter}):
            found.append(with_tag(name, value, selection))
    return found


def of_rows(title: str, source: int, rows: Sequence[int]) -> Offer:
    """These rows of one source, which ascend."""
    return Offer(title, len(rows), lambda _: RowsOf(source, rows))


def with_tag(name: str, value: str, selection: Selection) -> Offer:
    """Rows in use with a value of a tag, in all sources; "" for those without the tag."""

    def find(dataset: "Dataset") -> Places:
        used = sorted((origin.source, origin.row) for side in SIDES for origin in selection.sides[side])
        return [place for place in used if has(dataset.example(*place))]

    def has(outcome: Example | Rejected) -> bool:
        return isinstance(outcome, Example) and dict(outcome.tags).get(name, "") == value

    count = sum(counter[value] for counter in selection.tags[name].values())
    return Offer(f"{name} = {value or '(none)'}", count, find)


def _rows(origins: Origins, source: int) -> "array[int]":
    """The rows of one source; a million in some milliseconds."""
    import numpy as np

    chosen = np.asarray(origins.rows, np.int64)[np.asarray(origins.sources) == source]
    return array("q", chosen.tobytes())
