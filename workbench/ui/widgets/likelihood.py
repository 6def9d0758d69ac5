"""Tokens of an answer with how likely each was: by colour, and as tenths below the line."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.chat.protocol import TokenDetail
from workbench.ui.widgets.token_flow import Flow, visible
from workbench.ui.wrapping import wrap

TENTHS = "₀₁₂₃₄₅₆₇₈₉"
LEVELS = ((0.9, "sure"), (0.5, "likely"), (0.1, "unsure"), (0.0, "unlikely"))
"""From which probability on a token is drawn how."""


class LikelihoodView(ScrollView, can_focus=True, inherit_bindings=False):
    """The tokens as flowing text with a cursor on one of them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "likelihood--sure",
        "likelihood--likely",
        "likelihood--unsure",
        "likelihood--unlikely",
        "likelihood--selected",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", show=False),
        Binding("right,l", "move(1)", show=False),
        Binding("up,k", "line(-1)", show=False),
        Binding("down,j", "line(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home", "to(0)", show=False),
        Binding("end,G", "to(-1)", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another token."""

        index: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.details: Sequence[TokenDetail] = ()
        self.cursor = 0
        self._flow = Flow()
        self._starts: list[int] = []
        self._width = 0

    def show(self, details: Sequence[TokenDetail]) -> None:
        """These tokens, the cursor on the first."""
        self.details, self.cursor = details, 0
        self._flow = Flow()
        for detail in details:
            seen = visible(detail.text)
            self._flow.add(
                seen + TENTHS[_tenth(detail.probability)] + ("\n" if seen.endswith("⏎") else ""),
                level(detail.probability),
            )
        self._break_lines()
        self.scroll_to(y=0, animate=False, immediate=True)

    def move_to(self, index: int) -> None:
        """Put the cursor on a token and bring it into view."""
        if not self.details:
            return
        self.cursor = max(0, min(index, len(self.details) - 1))
        line = self._line_of(self.cursor)
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
        if not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 2), animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved(self.cursor))

    def on_resize(self) -> None:
        """Break lines for the new width."""
        if self.scrollable_content_region.width != self._width:
            self._break_lines()

    def _break_lines(self) -> None:
        self._width = self.scrollable_content_region.width
        whole = "".join(self._flow.parts)
        ends = [offset + len(part) for offset, part in zip(self._flow.offsets, self._flow.parts, strict=True)]
        self._starts = wrap(whole, ends, self._width) if whole else []
        self.virtual_size = Size(0, len(self._starts))
        self.refresh()

    def _line_of(self, index: int) -> int:
        return bisect_right(self._starts, self._flow.offsets[index]) - 1

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of tokens."""
        base, line = self.rich_style, self.scroll_offset.y + y
        if line >= len(self._starts):
            return Strip.blank(self.size.width, base)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else self._flow.length
        segments, position = [], start
        here = range(0)
        if self.details:
            offset = self._flow.offsets[self.cursor]
            here = range(offset, offset + len(self._flow.parts[self.cursor]))
        for text, style in self._flow.between(start, end):
            name = "selected" if position in here else style
            drawn = self.get_component_rich_style(f"likelihood--{name}")
            segments.append(Segment(text.replace("\n", ""), drawn))
            position += len(text)
        return Strip(segments).adjust_cell_length(self.size.width, base)

    # Keys

    def action_move(self, by: int) -> None:
        """To the token before or after."""
        self.move_to(self.cursor + by)

    def action_line(self, by: int) -> None:
        """To the line above or below, about below each other."""
        if not self.details:
            return
        line = self._line_of(self.cursor)
        wanted = max(0, min(line + by, len(self._starts) - 1))
        along = self._flow.offsets[self.cursor] - self._starts[line]
        last = self._starts[wanted + 1] - 1 if wanted + 1 < len(self._starts) else self._flow.length - 1
        offset = min(self._starts[wanted] + along, last)
        self.move_to(bisect_right(self._flow.offsets, offset) - 1)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.action_line(pages * max(1, self.scrollable_content_region.height - 1))

    def action_to(self, index: int) -> None:
        """The first token, or the last."""
        self.move_to(index if index >= 0 else len(self.details) - 1)


def level(probability: float) -> str:
    """How sure the model was: the name of a style."""
    return next((name for least, name in LEVELS if probability >= least), "unlikely")


def _tenth(probability: float) -> int:
    return min(9, int(probability * 10)) if probability >= 0 else 0
