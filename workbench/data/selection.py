"""Which rows of all sources are used, and for what: cleaning, filters, duplicates, `take`, `repeat`, split."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from workbench.data.example import Origin
from workbench.data.report import SourceReport

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")


@dataclass(slots=True)
class Origins:
    """Many origins, ten bytes each."""

    sources: "array[int]" = field(default_factory=lambda: array("H"))
    rows: "array[int]" = field(default_factory=lambda: array("q"))

    def append(self, source: int, row: int) -> None:
        """Add one at the end."""
        self.sources.append(source)
        self.rows.append(row)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Origin:
        return Origin(self.sources[i], self.rows[i])

    def __iter__(self) -> Iterator[Origin]:
        return map(Origin, self.sources, self.rows)


@dataclass(frozen=True, slots=True)
class Leak:
    """A held-out row whose text is trained on as well.

    Attributes:
        held_out: the row of validation or test.
        trained: a training row that says the same, or nearly.
        near: equal only after case, blanks and punctuation are set aside, or in four fifths of the text.
    """

    held_out: Origin
    trained: Origin
    near: bool


@dataclass(slots=True)
class Selection:
    """What is used of a project's rows.

    Attributes:
        sides: the examples of each side, sources in the project's order, rows in the order of the file. A
            training row of a source with `repeat` comes that many times.
        reports: one for each source.
        tags: tag name, then side, to the number of examples for each value; "" counts those without the tag.
        leaks: held-out rows that are trained on as well.
        duplicates: rows that say the same as an earlier one of the same side, kept or left out.
    """

    reports: list[SourceReport]
    sides: dict[Side, Origins] = field(default_factory=lambda: {side: Origins() for side in SIDES})
    tags: dict[str, dict[Side, Counter[str]]] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)
    duplicates: Origins = field(default_factory=Origins)
