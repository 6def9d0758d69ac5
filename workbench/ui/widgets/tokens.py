"""A token sequence with its loss mask: as text, token by token, or as a list with ids.

Trained stretches are coloured and underlined, and stand between `▐` and `▌`, so that the mask is read in
sixteen colours and in none. Lines are broken once for each width; only lines in view are built.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.ui.text import clean, clean_lines
from workbench.ui.wrapping import word_ends, wrap

MODES = ("text", "tokens", "ids")

OPEN, CLOSE, STOP, BETWEEN = "▐", "▌", "■", "│"
LIST_COLUMN = 39
"""Cells of one token in the list with ids; a wide screen shows several side by side."""

_EDGE_BLANKS = re.compile(r"(?m)^ +| +(?=\n)| {2,}")


@dataclass(frozen=True)
class _Tokens:
    shown: Sequence[str] = ()
    ids: Sequence[int] = ()
    mask: Sequence[int] = ()
    spans: Sequence[tuple[int, int]] = ()
    stops: Set[int] = frozenset()
    text: str = ""


@dataclass
class _Flow:
    """Text in pieces of one style each, and where its lines may break."""

    parts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, text: str, style: str) -> None:
        if text:
            self.parts.append(text)
            self.offsets.append(self.length)
            self.styles.append(style)
            self.length += len(text)

    def between(self, start: int, end: int) -> Iterator[tuple[str, str]]:
        """The pieces of one line."""
        for index in range(bisect_right(self.offsets, start) - 1, len(self.parts)):
            offset = self.offsets[index]
            if offset >= end:
                return
            yield self.parts[index][max(0, start - offset) : end - offset], self.styles[index]


class TokenView(ScrollView, can_focus=True, inherit_bindings=False):
    """What the trainer sees of one example; left and right stay free for the pane."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tokens--trained",
        "tokens--read",
        "tokens--stop",
        "tokens--sign",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", show=False),
        Binding("down,j", "scroll_by(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home", "to_line(0)", show=False),
        Binding("end,G", "to_line(None)", show=False),
    ]

    mode: reactive[str] = reactive("text", repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tokens = _Tokens()
        self._flow = _Flow()
        self._starts: list[int] = []
        self._width = 0

    def show(
        self,
        tokens: Sequence[str],
        ids: Sequence[int],
        mask: Sequence[int],
        spans: Sequence[tuple[int, int]],
        *,
        stops: Set[int],
        text: str,
    ) -> None:
        """Show T tokens: how each reads, its id, its mask (1 = trained), its range of characters in `text`.

        `stops` are the ids that end an answer. Tokens and text may be foreign: they are cleaned here.
        """
        self._tokens = _Tokens(tokens, ids, mask, spans, stops, text)
        self._rebuild()
        self.scroll_to(y=0, animate=False, immediate=True)

    def legend(self) -> Text:
        """One line that explains the signs."""
        trained, sign, stop = (
            self.get_component_rich_style(f"tokens--{name}", partial=True)
            for name in ("trained", "sign", "stop")
        )
        end = ("  only read  ", (STOP, stop), " stop")
        if self.mode == "ids":
            return Text.assemble("position  id  ", ("+ ", sign), ("trained", trained), "  .", *end)
        line = Text.assemble((OPEN, sign), ("trained", trained), (CLOSE, sign), *end, "  ⏎ newline")
        return line.append(f"  {BETWEEN} next token  · blank" if self.mode == "tokens" else "  · blanks")

    def watch_mode(self) -> None:
        """Lay out anew."""
        self._rebuild()
        self.scroll_to(y=0, animate=False, immediate=True)

    def on_resize(self) -> None:
        """Break lines for the new width, unless it is the old one."""
        if self.scrollable_content_region.width != self._width:
            self._break_lines()

    # Layout

    def _rebuild(self) -> None:
        if self.mode != "ids":
            self._flow = _text_flow(self._tokens) if self.mode == "text" else _token_flow(self._tokens)
        self._break_lines()

    def _break_lines(self) -> None:
        self._width = self.scrollable_content_region.width
        if self.mode == "ids":
            lines = -(-len(self._tokens.ids) // self._list_columns)
        else:
            whole = "".join(self._flow.parts)
            ends = word_ends(whole) if self.mode == "text" else _piece_ends(self._flow)
            self._starts = wrap(whole, ends, self._width) if whole else []
            lines = len(self._starts)
        self.virtual_size = Size(0, lines)
        self.refresh()

    @property
    def _list_columns(self) -> int:
        return max(1, self._width // LIST_COLUMN)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the present mode."""
        line = self.scroll_offset.y + y
        if line >= self.virtual_size.height:
            return Strip.blank(self.size.width, self.rich_style)
        segments = self._list_line(line) if self.mode == "ids" else self._flow_line(line)
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _flow_line(self, line: int) -> list[Segment]:
        end = self._starts[line + 1] if line + 1 < len(self._starts) else self._flow.length
        pieces = self._flow.between(self._starts[line], end)
        return [Segment(text.replace("\n", ""), self._style(style)) for text, style in pieces]

    def _list_line(self, line: int) -> list[Segment]:
        tokens, columns = self._tokens, self._list_columns
        segments = []
        for index in range(line * columns, min((line + 1) * columns, len(tokens.ids))):
            style, trained = _style_of(tokens, index), bool(tokens.mask[index])
            segments.append(Segment(f"{index:>6} {tokens.ids[index]:>7} ", self._style("read")))
            segments.append(Segment("+ " if trained else ". ", self._style("sign" if trained else "read")))
            shown = _visible(tokens.shown[index]) + (STOP if style == "stop" else "")
            room = LIST_COLUMN - 17
            shown = shown if cell_len(shown) < room else set_cell_size(shown, room - 2) + "…"
            segments.append(Segment(shown, self._style(style)))
            segments.append(Segment(" " * (room - cell_len(shown)), self.rich_style))
        return segments

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tokens--{name}")

    # Keys

    def action_scroll_by(self, lines: int) -> None:
        """Up or down."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.action_scroll_by(pages * max(1, self.scrollable_content_region.height - 1))

    def action_to_line(self, line: int | None) -> None:
        """To a line, or to the end."""
        self.scroll_to(y=self.max_scroll_y if line is None else line, animate=False)


def _style_of(tokens: _Tokens, index: int) -> str:
    if tokens.ids[index] in tokens.stops:
        return "stop"
    return "trained" if tokens.mask[index] else "read"


def _text_flow(tokens: _Tokens) -> _Flow:
    """The rendered text, each character once: several tokens may share one character of many bytes."""
    flow, position, inside = _Flow(), 0, False
    text = _EDGE_BLANKS.sub(lambda match: "·" * len(match[0]), tokens.text)
    for index, (start, end) in enumerate(tokens.spans):
        if end <= position:
            continue
        gap, own = text[position:start], text[max(start, position) : end]
        trained = bool(tokens.mask[index])
        if inside and (gap or not trained):
            flow.add(CLOSE, "sign")
            inside = False
        flow.add(_readable(gap), "read")
        if trained and not inside:
            flow.add(OPEN, "sign")
            inside = True
        style = _style_of(tokens, index)
        flow.add(_readable(own), style)
        if style == "stop":
            flow.add(STOP, "stop")
        position = end
    if inside:
        flow.add(CLOSE, "sign")
    flow.add(_readable(text[position:]), "read")
    return flow


def _token_flow(tokens: _Tokens) -> _Flow:
    """Each token with a sign before it: `│`, or an edge of a trained stretch."""
    flow, inside = _Flow(), False
    for index, shown in enumerate(tokens.shown):
        trained = bool(tokens.mask[index])
        edge = BETWEEN if index else ""
        if trained != inside:
            edge = OPEN if trained else CLOSE
        flow.add(edge, "read" if edge == BETWEEN else "sign")
        inside = trained
        style = _style_of(tokens, index)
        visible = _visible(shown) + (STOP if style == "stop" else "")
        flow.add(visible + ("\n" if visible.endswith("⏎") else ""), style)
    if inside:
        flow.add(CLOSE, "sign")
    return flow


def _piece_ends(flow: _Flow) -> Iterator[int]:
    """Lines of tokens break after the sign between two tokens, and after a newline."""
    for part, offset in zip(flow.parts, flow.offsets, strict=True):
        if part in (OPEN, CLOSE, BETWEEN) or part.endswith("\n"):
            yield offset + len(part)
    yield flow.length


def _readable(text: str) -> str:
    """Text for reading: newlines, tabs and hard blanks are seen, newlines break the line."""
    return clean_lines(text.replace("\t", "⇥")).replace("\N{NO-BREAK SPACE}", "⍽").replace("\n", "⏎\n")


def _visible(token: str) -> str:
    """A token in one line in which every blank is seen; a lone combining mark gets a circle to stand on."""
    shown = clean(token).replace(" ", "·").replace("\N{NO-BREAK SPACE}", "⍽")
    return f"◌{shown}" if shown and not get_character_cell_size(shown[0]) else shown
