"""A report on the screen: the same parts as its Markdown and HTML, drawn as text."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from workbench.reports.document import Bars, Block, Document, Line, Listing, Paragraph, Plot, Quote, Table
from workbench.ui.text import clean_lines, shown
from workbench.ui.widgets.bars import bar

BAR_CELLS = 24
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_CELLS = 40


def as_text(document: Document) -> RenderableType:
    """The whole report."""
    told: list[RenderableType] = [shown(document.title, "bold underline"), shown(document.made, "italic")]
    for part in document.parts:
        told.append(shown(f"\n{part.heading}", "bold underline" if part.level == 2 else "bold"))
        told += [_block(block) for block in part.blocks]
    return Group(*told)


def _block(block: Block) -> RenderableType:
    match block:
        case Paragraph(text):
            return shown(f"{text}\n")
        case Listing(items):
            return shown("".join(f"• {item}\n" for item in items))
        case Quote(title, text):
            lines = "\n".join(f"│ {line}" for line in clean_lines(text).split("\n"))
            return Text.assemble(shown(f"{title}\n", "bold"), shown(f"{lines}\n"))
        case Table():
            return _table(block)
        case Plot(title, lines):
            return Text.assemble(shown(f"{title}\n", "bold"), *(_spark(line) for line in lines))
        case Bars(title, values):
            return Text.assemble(shown(f"{title}\n", "bold"), _bars(values))


def _table(table: Table) -> RenderableType:
    drawn = RichTable(box=None, pad_edge=False)
    for number, title in enumerate(table.titles):
        drawn.add_column(shown(title), justify="left" if number < table.words else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(shown, row))
    return Group(drawn, shown("".join(f"{each}\n" for each in table.says), "dim"))


def _spark(line: Line) -> Text:
    """The curve in one line, with its first, lowest and last figure; the train pane draws it large."""
    values = [float(value) for value in line.y if math.isfinite(value)]
    if not values:
        return shown(f"{line.label}: no finite point\n")
    low, high = min(values), max(values)
    count = min(SPARK_CELLS, len(values))
    picked = [values[round(n * (len(values) - 1) / max(1, count - 1))] for n in range(count)]
    span = (high - low) or 1.0
    drawn = "".join(SPARKS[round((value - low) / span * (len(SPARKS) - 1))] for value in picked)
    figures = f"first {values[0]:.4g}  lowest {low:.4g}  highest {high:.4g}  last {values[-1]:.4g}"
    return Text.assemble(shown(f"{line.label}  "), drawn, f"  {figures}\n")


def _bars(values: Sequence[tuple[str, float]]) -> Text:
    most = max((value for _, value in values if math.isfinite(value)), default=0.0)
    text = Text()
    for label, value in values:
        share = value / most if math.isfinite(value) and most > 0 else 0.0
        text.append_text(shown(f"{bar(share, BAR_CELLS)} {value:.4g}  {label}\n"))
    return text
