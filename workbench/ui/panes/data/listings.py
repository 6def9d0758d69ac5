"""Which rows can be looked at by themselves: those of a reason, of a side, or with a tag."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from workbench.data.example import Example
from workbench.data.selection import SIDES, Selection

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset

Places = Sequence[tuple[int, int]]


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
    kept = [origin for origin in selection.duplicates if origin.source == source]
    if kept and not len(report.duplicate):
        found.append(of_rows("= duplicate, in use", source, [origin.row for origin in kept]))
    for side in SIDES:
        origins = selection.sides[side]
        if count := sum(1 for each in origins.sources if each == source):
            found.append(Offer(f"side: {side}", count, _side(selection, side, source)))
    for name, sides in selection.tags.items():
        for value in sorted({value for counter in sides.values() for value in counter}):
            found.append(with_tag(name, value, sum(counter[value] for counter in sides.values())))
    return found


def of_rows(title: str, source: int, rows: Sequence[int]) -> Offer:
    """These rows of one source."""
    return Offer(title, len(rows), lambda _: list(zip(repeat(source), sorted(rows), strict=False)))


def with_tag(name: str, value: str, count: int) -> Offer:
    """Rows in use with a value of a tag, in all sources; "" for those without the tag."""

    def find(dataset: "Dataset") -> Places:
        return [
            (outcome.origin.source, outcome.origin.row)
            for source in range(len(dataset.sources))
            if dataset.sources[source].rows is not None
            for outcome in dataset.outcomes(source)
            if isinstance(outcome, Example) and dict(outcome.tags).get(name, "") == value
        ]

    return Offer(f"{name} = {value or '(none)'}", count, find)


def _side(selection: Selection, side: str, source: int) -> "Callable[[Dataset], Places]":
    origins = selection.sides[side]  # type: ignore[index]
    return lambda _: [
        (source, row) for each, row in zip(origins.sources, origins.rows, strict=True) if each == source
    ]
