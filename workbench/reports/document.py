"""What a report says, before it is Markdown, HTML or lines of a screen: titled parts made of a few kinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Paragraph:
    """Sentences; what they say needs no table."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Some lines that belong together."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Cells under titles.

    Attributes:
        titles: one a column.
        rows: as many cells each.
        words: how many columns from the left hold words; the others hold figures, which end below each other.
        says: what the figures mean, one line each.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    says: Sequence[str] = ()


@dataclass(frozen=True)
class Quote:
    """Text as a file or a model has it, such as an answer."""

    title: str
    text: str


@dataclass(frozen=True, eq=False)
class Line:
    """One curve; `x` ascends, `y` has its length and may hold NaN, which leaves a gap."""

    label: str
    x: "Numbers"
    y: "Numbers"


@dataclass(frozen=True)
class Plot:
    """Curves over training steps."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Bars:
    """One figure of several things; NaN is said, not drawn.

    Attributes:
        values: a label and a figure each, none below 0.
    """

    title: str
    values: Sequence[tuple[str, float]]


Block: TypeAlias = Paragraph | Listing | Table | Quote | Plot | Bars


@dataclass(frozen=True)
class Part:
    """A heading with what stands below it; `level` 2 is a part of the report, 3 a part of such a part."""

    heading: str
    blocks: Sequence[Block] = ()
    level: int = 2


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        name: of its files, fit for a folder.
        title: its heading.
        made: when, and by what.
    """

    name: str
    title: str
    made: str
    parts: Sequence[Part] = field(default_factory=list)

    def cleaned(self, clean: Callable[[str], str]) -> "Document":
        """The same with every text changed by `clean`: rows, answers and notes are foreign text."""
        parts = [
            Part(clean(part.heading), [_cleaned(block, clean) for block in part.blocks], part.level)
            for part in self.parts
        ]
        return replace(self, title=clean(self.title), made=clean(self.made), parts=parts)


def _cleaned(block: Block, clean: Callable[[str], str]) -> Block:
    match block:
        case Paragraph(text):
            return Paragraph(clean(text))
        case Listing(items):
            return Listing([*map(clean, items)])
        case Table(titles, rows, words, says):
            return Table(
                [*map(clean, titles)], [[*map(clean, row)] for row in rows], words, [*map(clean, says)]
            )
        case Quote(title, text):
            return Quote(clean(title), clean(text))
        case Plot(title, lines):
            return Plot(clean(title), [replace(line, label=clean(line.label)) for line in lines])
        case Bars(title, values):
            return Bars(clean(title), [(clean(label), value) for label, value in values])
