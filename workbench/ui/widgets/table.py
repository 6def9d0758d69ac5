"""A table of any length: only rows in view are asked for, so a million rows cost what thirty cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.ui.text import clean

KEPT_ROWS = 512
"""Rows whose cells are remembered: several screens, so that going back is free."""

CURSOR = ">"
GUTTER = 2
"""Cells in front of the first column; the cursor's sign stands there, so that it is seen without colour."""


@dataclass(frozen=True)
class Column:
    """A column; `width` is a count of cells when it is an int, else a share of what those leave over.
    `right`: numbers, which end below each other."""

    title: str
    width: int | float
    right: bool = False


class VirtualTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows with a cursor under a header; left and right stay free for the pane."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "select", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor moved to `row`."""

        table: "VirtualTable"
        row: int

        @property
        def control(self) -> "VirtualTable":
            """The table, for selectors of `on`."""
            return self.table

    @dataclass
    class Selected(Message):
        """Enter was pressed on `row`, or it was clicked twice."""

        table: "VirtualTable"
        row: int

        @property
        def control(self) -> "VirtualTable":
            """The table, for selectors of `on`."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[int], Sequence[str | Text]],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`cells(row)` gives the cells of one row, one for each column; it is called for rows in view only.

        Cells may be foreign text: they are cleaned and cut here. A mark on a row is a cell or a styled Text.
        """
        super().__init__(id=id, classes=classes)
        self._columns = columns
        self._cells = cells
        self._fetch = lru_cache(KEPT_ROWS)(self._fetch_row)
        self.row_count = 0
        self.cursor = 0

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; `cells` has to give as many from now on."""
        if list(columns) != list(self._columns):
            self._columns = columns
            self._fetch.cache_clear()
            self.refresh()

    def set_row_count(self, count: int) -> None:
        """Grow or shrink; the cursor stays where it can, what is known of the rows is kept."""
        if count == self.row_count:
            return
        self.row_count = count
        self.virtual_size = Size(0, count + 1)
        self.refresh()
        if self.cursor >= count:
            self.move_to(count - 1)

    def refresh_rows(self) -> None:
        """Ask again for the rows in view, and repaint those that differ; the others when they are seen."""
        rows = self._rows_in_view()
        before = [self._fetch(row) for row in rows]
        self._fetch.cache_clear()
        changed = [row for row, cells in zip(rows, before, strict=True) if self._fetch(row) != cells]
        self._repaint(*changed)

    def move_to(self, row: int) -> None:
        """Put the cursor on `row`, or the nearest row there is, and bring it into view."""
        row = max(0, min(row, self.row_count - 1))
        before, self.cursor = self.cursor, row
        self._bring_into_view(row)
        if row != before:
            self._repaint(before, row)
            self.post_message(self.Highlighted(self, row))

    # Geometry: line 0 of the view is the header, row r is line r + 1 of the whole

    @property
    def page_rows(self) -> int:
        """Rows that fit under the header, scrollbar aside."""
        return max(1, self.scrollable_content_region.height - 1)

    def _rows_in_view(self) -> range:
        top = self.scroll_offset.y
        return range(top, min(self.row_count, top + self.page_rows))

    def _bring_into_view(self, row: int) -> None:
        top = self.scroll_offset.y
        if row < top:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= top + self.page_rows:
            self.scroll_to(y=row - self.page_rows + 1, animate=False, immediate=True)

    def _repaint(self, *rows: int) -> None:
        visible = self._rows_in_view()
        regions = [Region(0, row - visible.start + 1, self.size.width, 1) for row in rows if row in visible]
        if regions:
            self.refresh(*regions)

    def on_focus(self) -> None:
        """The cursor's row looks different where keys go."""
        self._repaint(self.cursor)

    def on_blur(self) -> None:
        """The cursor stays marked, less loudly."""
        self._repaint(self.cursor)

    def on_resize(self) -> None:
        """The cursor stays in view when the table becomes shorter."""
        self._bring_into_view(self.cursor)

    def _widths(self) -> list[int]:
        """Cells of each column: fixed ones first, shares of the rest, one cell between columns."""
        room = self.scrollable_content_region.width - GUTTER - (len(self._columns) - 1)
        room -= sum(column.width for column in self._columns if isinstance(column.width, int))
        shares = sum(column.width for column in self._columns if not isinstance(column.width, int))
        widths, left = [], max(0, room)
        for column in self._columns:
            if isinstance(column.width, int):
                widths.append(column.width)
                continue
            width = round(left * column.width / shares)
            widths.append(width)
            left, shares = left - width, shares - column.width
        return widths

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, or one row."""
        base, row = self.rich_style, self.scroll_offset.y + y - 1
        if y == 0:
            style = self.get_component_rich_style("table--header")
            return self._strip([column.title for column in self._columns], " ", style)
        if row >= self.row_count:
            return Strip.blank(self.size.width, base)
        if row == self.cursor:
            here = self.get_component_rich_style("table--cursor")
            style = here if self.has_focus else base + Style(bold=True)
            return self._strip(self._fetch(row), CURSOR, style)
        return self._strip(self._fetch(row), " ", base)

    def _fetch_row(self, row: int) -> list[str | Text]:
        return [_one_line(cell) for cell in self._cells(row)]

    def _strip(self, cells: Sequence[str | Text], sign: str, style: Style) -> Strip:
        segments = [Segment(sign.ljust(GUTTER), style)]
        for index, (cell, column, width) in enumerate(zip(cells, self._columns, self._widths(), strict=True)):
            if index:
                segments.append(Segment(" ", style))
            if isinstance(cell, str):
                segments.append(Segment(_fit(cell, width, column.right), style))
            else:
                fitted = cell.copy()
                fitted.truncate(width, overflow="ellipsis")
                fitted.align("right" if column.right else "left", width)
                pieces = fitted.render(self.app.console)
                segments += [Segment(text, style + own if own else style) for text, own, _ in pieces if text]
        return Strip(segments).adjust_cell_length(self.size.width, style)

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        """Up or down."""
        self.move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.move_to(self.cursor + pages * self.page_rows)

    def action_first(self) -> None:
        """The first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """The last row known so far."""
        self.move_to(self.row_count - 1)

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        if self.row_count:
            self.post_message(self.Selected(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Once moves the cursor, twice chooses."""
        row = self.scroll_offset.y + event.y - 1
        if event.y >= 1 and row < self.row_count:
            self.move_to(row)
            if event.chain == 2:
                self.action_select()


def _one_line(cell: str | Text) -> str | Text:
    if isinstance(cell, str):
        return clean(cell)
    cell = cell.copy()
    cell.plain = clean(cell.plain)
    cell.no_wrap, cell.end = True, ""
    return cell


def _fit(text: str, width: int, right: bool = False) -> str:
    """Exactly `width` cells; an ellipsis says that something was cut."""
    text = text[: width + 1] if text.isascii() else text[: 4 * width + 1]
    if (cells := cell_len(text)) <= width:
        return " " * (width - cells) + text if right else set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
