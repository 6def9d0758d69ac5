"""A report as one HTML file: no script, nothing from elsewhere, every text escaped."""

from collections.abc import Iterator, Sequence
from html import escape

from workbench.reports import svg
from workbench.reports.document import Bars, Block, Document, Listing, Paragraph, Plot, Quote, Table

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Even if something slipped through, a browser would load and run nothing."""

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid #8886; vertical-align: top; text-align: left; }
.figure { text-align: right; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #8886; padding-left: 0.8rem; }
.says, .made, figcaption { opacity: 0.75; font-size: 0.9rem; }
figure { margin: 1rem 0; }
"""


def as_html(document: Document) -> str:
    """The whole file."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(document.title)}</title><style>\n{STYLE}{svg.STYLE}</style></head><body>"
    yield f'<h1>{escape(document.title)}</h1><p class="made">{escape(document.made)}</p>'
    for part in document.parts:
        yield f"<h{part.level}>{escape(part.heading)}</h{part.level}>"
        for block in part.blocks:
            yield _block(block)
    yield "</body></html>"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Listing(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Quote(title, text):
            return f"<p><strong>{escape(title)}</strong></p><pre>{escape(text)}</pre>"
        case Table():
            return _table(block)
        case Plot():
            return f"<figure>{svg.plot(block)}<figcaption>{escape(block.title)}</figcaption></figure>"
        case Bars():
            return f"<figure>{svg.bars(block)}<figcaption>{escape(block.title)}</figcaption></figure>"


def _table(table: Table) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        kinds = ("" if number < table.words else ' class="figure"' for number in range(len(cells)))
        shown = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(shown)}</tr>"

    body = "".join(line(row, "td") for row in table.rows)
    says = "".join(f"<br>{escape(each)}" for each in table.says).removeprefix("<br>")
    below = f'<p class="says">{says}</p>' if says else ""
    return f"<table><thead>{line(table.titles, 'th')}</thead><tbody>{body}</tbody></table>{below}"
