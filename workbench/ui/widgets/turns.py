"""A conversation as lines: what has been said is laid out once, an answer that is being written line by line.

Each turn as a widget of its own, or one text that is broken into lines anew ten times a second, stops the
screen at an answer of some ten thousand tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Console
from rich.markdown import Markdown
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.ui.text import clean_lines
from workbench.ui.wrapping import word_ends, wrap

SELECTED = ">"
Line = tuple[str, str] | Strip
"""A text with the name of its style, or a line that is drawn already."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it is shown; all of it may be foreign text.

    Attributes:
        who: the heading; empty for none.
        text: what was said.
        figures: a quiet line below.
        style: `said`, or `note` for what nobody said.
        markdown: show the text as Markdown.
    """

    who: str
    text: str
    figures: str = ""
    style: str = "said"
    markdown: bool = False


class Growing:
    """A turn that is being written; what stands before its last line is never broken anew."""

    def __init__(self, who: str, width: int) -> None:
        self.who = who
        self._pieces: list[str] = []
        self._rest = ""
        self.break_for(width)

    def break_for(self, width: int) -> None:
        """Break all of it for another width."""
        self._width = width
        self.head = _broken(clean_lines(self.who), width)
        self.whole: list[str] = []
        self._rest, text = "", "".join(self._pieces)
        self._pieces = []
        self.add(text)

    def add(self, text: str) -> None:
        """More text."""
        self._pieces.append(text)
        self._rest += text
        # Half of a line break: what comes next says what it is
        held = "\r" if self._rest.endswith("\r") else ""
        shown = clean_lines(self._rest.removesuffix(held) if held else self._rest)
        *whole, last = _broken(shown, self._width)
        self.whole += whole
        self._rest = last + held

    @property
    def height(self) -> int:
        """In lines, the last one as far as it has come."""
        return len(self.head) + len(self.whole) + 1

    def line(self, number: int) -> Line:
        """One line with the name of its style."""
        if number < len(self.head):
            return self.head[number], "who"
        if (number := number - len(self.head)) < len(self.whole):
            return self.whole[number], "said"
        return self._rest.removesuffix("\r") or ("" if self.whole else "…"), "said"


class TurnsView(ScrollView, can_focus=True, inherit_bindings=False):
    """Turns from top to bottom; follows the end until the reader scrolls up, and again from the end on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "turns--who",
        "turns--selected",
        "turns--said",
        "turns--note",
        "turns--figures",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", show=False),
        Binding("down,j", "scroll_by(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home", "to(False)", show=False),
        Binding("end,G", "to(True)", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.turns: list[Turn] = []
        self._laid: dict[Turn, list[Line]] = {}
        self._lines: list[Line] = []
        self._starts: list[int] = []
        self._width = 0
        self._selected: int | None = None
        self._open: Growing | None = None
        self._following = True

    # What is shown

    def show(self, turns: Sequence[Turn], selected: int | None = None) -> None:
        """These turns and no others; the selected one is marked."""
        moved = selected is not None and selected != self._selected
        self.turns, self._selected, self._open = list(turns), selected, None
        self._lay_out()
        if moved and selected is not None and selected < len(self._starts) - 1:
            self._following = False
            self.scroll_to(y=self._starts[selected], animate=False, immediate=True)

    def open_turn(self, who: str) -> None:
        """Begin a turn whose text comes bit by bit."""
        self._open = Growing(who, self._text_width)
        self.follow_end()

    def grow(self, text: str) -> None:
        """More text of the turn that is being written."""
        if self._open is not None:
            self._open.add(text)
            self._measure()

    def follow_end(self) -> None:
        """Show the end, and whatever comes after it."""
        self._following = True
        self._measure()

    @property
    def plain(self) -> str:
        """All that is shown, as text."""
        lines = map(self._line, range(self.virtual_size.height))
        return "\n".join(line.text if isinstance(line, Strip) else line[0] for line in lines)

    # Layout

    @property
    def _text_width(self) -> int:
        return max(2, self.scrollable_content_region.width - 1)

    def on_resize(self) -> None:
        """Break lines for the new width."""
        if self._text_width != self._width:
            if self._open is not None:
                self._open.break_for(self._text_width)
            self._lay_out()
        else:
            self._measure()

    def _lay_out(self) -> None:
        if self._width != self._text_width:
            self._width, self._laid = self._text_width, {}
        self._laid = {turn: self._laid.get(turn) or self._lines_of(turn) for turn in self.turns}
        self._lines, self._starts = [], []
        for number, turn in enumerate(self.turns):
            self._starts.append(len(self._lines))
            if turn.who:
                sign, style = ("> ", "selected") if number == self._selected else ("", "who")
                self._lines += [(line, style) for line in _broken(sign + clean_lines(turn.who), self._width)]
            self._lines += self._laid[turn]
        self._measure()

    def _lines_of(self, turn: Turn) -> list[Line]:
        lines: list[Line] = []
        if turn.markdown:
            lines += self._rendered(turn.text)
        else:
            lines += [(line, turn.style) for line in _broken(clean_lines(turn.text), self._width)]
        if turn.figures:
            lines += [(line, "figures") for line in _broken(clean_lines(turn.figures), self._width)]
        return [*lines, ("", "said")]

    def _rendered(self, text: str) -> list[Line]:
        """Markdown as drawn lines; a link is its text and its address, and nothing to click on."""
        console: Console = self.app.console
        markdown = Markdown(clean_lines(text), hyperlinks=False)
        options = console.options.update(width=self._width, height=None)
        lines = console.render_lines(markdown, options, pad=False)
        return [Strip(Segment(text, style) for text, style, _ in line) for line in lines]

    def _line(self, number: int) -> Line:
        if number < len(self._lines) or self._open is None:
            return self._lines[number]
        return self._open.line(number - len(self._lines))

    def _measure(self) -> None:
        if not self.is_attached:
            return
        self.virtual_size = Size(0, len(self._lines) + (self._open.height if self._open else 0))
        if self._following:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.refresh()

    def watch_scroll_y(self, old: float, new: float) -> None:
        """At the end it follows, wherever else it stays."""
        super().watch_scroll_y(old, new)
        if old != new and self.size.height:
            self._following = new >= self.max_scroll_y

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line."""
        base, number = self.rich_style, self.scroll_offset.y + y
        if number >= self.virtual_size.height:
            return Strip.blank(self.size.width, base)
        line = self._line(number)
        if isinstance(line, Strip):
            return line.apply_style(base).adjust_cell_length(self.size.width, base)
        text, style = line
        drawn = base if style == "said" else self.get_component_rich_style(f"turns--{style}")
        return Strip([Segment(text, drawn)]).adjust_cell_length(self.size.width, base)

    # Keys

    def action_scroll_by(self, lines: int) -> None:
        """Up or down."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.action_scroll_by(pages * max(1, self.scrollable_content_region.height - 1))

    def action_to(self, end: bool) -> None:
        """The first line, or the end."""
        self.scroll_to(y=self.max_scroll_y if end else 0, animate=False)


def _broken(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells; a text that ends in a line break has an empty line after it."""
    starts = wrap(text, word_ends(text), width)
    lines = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    if text.endswith("\n"):
        lines.append("")
    return [line.removesuffix("\n") for line in lines]
