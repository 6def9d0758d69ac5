"""A table of any length: only rows in view are asked for, so a million rows cost what thirty cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.message import Message
from textual.scroll_view import ScrollView


@dataclass(frozen=True)
class Column:
    """A column; `width` is a count of cells when it is a whole number, else a share of what those leave over."""

    title: str
    width: int | float


class VirtualTable(ScrollView, can_focus=True):
    """Rows with a cursor under a header."""

    @dataclass
    class Highlighted(Message):
        """The cursor moved to `row`."""

        table: "VirtualTable"
        row: int

        @property
        def control(self) -> "VirtualTable":
            return self.table

    @dataclass
    class Selected(Message):
        """Enter was pressed on `row`, or the row was clicked twice."""

        table: "VirtualTable"
        row: int

        @property
        def control(self) -> "VirtualTable":
            return self.table

    def __init__(self, columns: Sequence[Column], cells: Callable[[int], Sequence[str | Text]], *, id: str | None = None, classes: str | None = None) -> None:
        """`cells(row)` gives the cells of one row, one for each column; it is called for rows in view only."""
        super().__init__(id=id, classes=classes)

    row_count: int
    cursor: int

    def set_row_count(self, count: int) -> None:
        """Grow or shrink; the cursor stays where it can, what is known of the rows is kept."""

    def refresh_rows(self) -> None:
        """Forget the cells that were fetched and ask again for those in view."""

    def move_to(self, row: int) -> None:
        """Put the cursor on `row`, or the nearest row there is, and bring it into view."""
