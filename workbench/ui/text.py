"""The one door for foreign text: rows, model replies and logs must not reach the terminal as commands.

A row that holds an escape sequence could set the user's clipboard, move the cursor or hide text behind
bidirectional overrides. `clean` is called where foreign text enters the screen and makes such characters
visible; `guard_terminal` is the second line of defence and drops what still got through at the last step
before the terminal.
"""

import re
from functools import cache

from rich.style import Style
from rich.text import Text

_SURROGATES = range(0xD800, 0xE000)
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_C1 = range(0x80, 0xA0)
_INVISIBLE = (0xAD, 0xFEFF)
# Terminals and rich disagree on the width of these (tmux 3.3a: 1 cell for 2, or 4 for 2): a line drawn with
# them shifts everything after it. The base emoji is kept.
_WIDTH_BREAKING = (0xFE0F, 0x20E3, *range(0x1F3FB, 0x1F400))

_SHOWN: dict[int, str] = {
    **dict.fromkeys((*_C1, *_BIDI, *_INVISIBLE, *_SURROGATES), "\N{REPLACEMENT CHARACTER}"),
    **{code: chr(0x2400 + code) for code in range(0x20)},
    **dict.fromkeys((0x2028, 0x2029), "\N{SYMBOL FOR NEWLINE}"),
    0x09: "⇥",
    0x0A: "⏎",
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(_WIDTH_BREAKING, ""),
}
_SHOWN_LINES: dict[int, str] = {**_SHOWN, 0x09: "    ", 0x0A: "\n"}


def _pattern(codes: list[int]) -> re.Pattern[str]:
    return re.compile("[" + "".join(re.escape(chr(code)) for code in sorted(codes)) + "]")


_NEEDS_CLEANING = _pattern(list(_SHOWN))
_ZERO_CELLS = _pattern([*range(0x20), 0x7F, 0x2028, 0x2029, *_C1, *_BIDI, 0xFEFF])
_ONE_CELL = _pattern([0xAD, *_SURROGATES])


def clean(text: str) -> str:
    """Foreign text as one line: control and bidirectional characters become visible signs, a newline `⏎`.

    Never grows the number of characters. Costs 3 to 5 microseconds for 1,000 characters.
    """
    return text if _NEEDS_CLEANING.search(text) is None else text.translate(_SHOWN)


def clean_lines(text: str) -> str:
    """Foreign text with its lines kept: as `clean`, but newlines stay and a tab becomes four spaces."""
    if _NEEDS_CLEANING.search(text) is None:
        return text
    return text.replace("\r\n", "\n").translate(_SHOWN_LINES)


def counted(count: int, noun: str) -> str:
    """`1 run`, `1,024 runs`: a count with its noun, which takes an s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown(text: str, style: str | Style = "") -> Text:
    """Foreign text ready to draw, its lines kept; square brackets stay text and are never read as markup."""
    return Text(clean_lines(text), style=style)


@cache
def guard_terminal() -> None:
    """Keep control and bidirectional characters out of all that Textual draws; installed once, process-wide.

    All that reaches the terminal as text goes through `Strip.render`. No line changes its width: what rich
    counts as zero cells is dropped, what it counts as one cell is replaced. Costs 0.3 microseconds a segment.
    """
    from rich.console import Console
    from rich.segment import Segment
    from textual.strip import Strip

    render = Strip.render

    def harmless(segment: Segment) -> Segment:
        text, style, _ = segment
        text = _ONE_CELL.sub("\N{REPLACEMENT CHARACTER}", _ZERO_CELLS.sub("", text))
        if style is not None and style.link and not style.link.isprintable():
            style = style.update_link(None)
        return Segment(text, style)

    def guarded(self: Strip, console: Console) -> str:
        if self._render_cache is None and any(map(_suspicious, self._segments)):
            return render(Strip(map(harmless, self._segments), self.cell_length), console)
        return render(self, console)

    Strip.render = guarded  # type: ignore[method-assign]


def _suspicious(segment: tuple[str, Style | None, object]) -> bool:
    text, style, _ = segment
    link = style.link if style is not None else None
    return not text.isprintable() or (link is not None and not link.isprintable())
