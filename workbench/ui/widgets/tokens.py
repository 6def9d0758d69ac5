"""A token sequence with its loss mask: as text, token by token, or as a list with ids.

Trained stretches are coloured and underlined, and stand between `▐` and `▌`, so that the mask is read in
sixteen colours and in none. Lines are broken once for each width; only lines in view are built.
"""

from collections.abc import Iterable, Sequence, Set
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.ui.widgets.token_flow import (
    BETWEEN,
    CLOSE,
    OPEN,
    STOP,
    Flow,
    Tokens,
    blank_ends,
    piece_ends,
    style_of,
    text_flow,
    token_flow,
    visible,
)
from workbench.ui.wrapping import word_ends, wrap

MODES = ("text", "tokens", "ids", "exact")

LIST_COLUMN = 39
"""Cells of one token in the list with ids; a wide screen shows several side by side."""


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
        self._tokens = Tokens()
        self._flow = Flow()
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
        self._tokens = Tokens(tokens, ids, mask, spans, stops, text)
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
        rest = {"tokens": f"  {BETWEEN} next token  · blank", "exact": "  · every blank  \\u.. unseen"}
        return line.append(rest.get(self.mode, "  · blanks"))

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
        if self.mode == "tokens":
            self._flow = token_flow(self._tokens)
        elif self.mode != "ids":
            self._flow = text_flow(self._tokens, exact=self.mode == "exact")
        self._break_lines()

    def _break_lines(self) -> None:
        self._width = self.scrollable_content_region.width
        if self.mode == "ids":
            lines = -(-len(self._tokens.ids) // self._list_columns)
        else:
            whole = "".join(self._flow.parts)
            self._starts = wrap(whole, self._ends(whole), self._width) if whole else []
            lines = len(self._starts)
        self.virtual_size = Size(0, lines)
        self.refresh()

    def _ends(self, whole: str) -> Iterable[int]:
        """Where lines may break."""
        if self.mode == "tokens":
            return piece_ends(self._flow)
        return blank_ends(whole) if self.mode == "exact" else word_ends(whole)

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
            style, trained = style_of(tokens, index), bool(tokens.mask[index])
            segments.append(Segment(f"{index:>6} {tokens.ids[index]:>7} ", self._style("read")))
            segments.append(Segment("+ " if trained else ". ", self._style("sign" if trained else "read")))
            shown = visible(tokens.shown[index]) + (STOP if style == "stop" else "")
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
