"""A report as Markdown: pictures lie beside it, every text is escaped."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from workbench.reports.document import Bars, Block, Document, Listing, Paragraph, Plot, Quote, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_LINE_START = re.compile(r"^(\s*\d*)([-+=](?![\d.])|[.)](?=\s))")
"""What begins a list, or underlines a heading; a number does neither."""


def as_markdown(document: Document, pictures: dict[int, str]) -> str:
    """The file's text.

    Args:
        pictures: number of a plot or of bars in the report, from 0, to the file that shows it.
    """
    names = iter(pictures[number] for number in sorted(pictures))
    lines = [f"# {escaped(document.title)}", "", escaped(document.made)]
    for part in document.parts:
        lines += ["", f"{'#' * part.level} {escaped(part.heading)}"]
        for block in part.blocks:
            lines += ["", *_block(block, names)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Foreign text on one line that Markdown shows as it is, HTML in it included."""
    flat = " ".join(text.split("\n"))
    return _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", flat))


def _block(block: Block, names: Iterator[str]) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield escaped(text)
        case Listing(items):
            yield from (f"- {escaped(item)}" for item in items)
        case Quote(title, text):
            # A fence longer than any in the text: nothing in it can end it
            longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            yield from (f"**{escaped(title)}**", "", fence, *text.split("\n"), fence)
        case Table(titles, rows, words, says):
            yield _row(map(escaped, titles))
            yield _row(":--" if number < words else "--:" for number in range(len(titles)))
            yield from (_row(map(escaped, row)) for row in rows)
            for each in says:
                yield from ("", escaped(each))
        case Plot(title, _) | Bars(title, _):
            yield f"![{escaped(title)}]({quote(next(names))})"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
