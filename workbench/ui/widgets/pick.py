"""Choose one of a list by typing a part of its name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.table import Column, VirtualTable

KEYS = "enter chooses   esc leaves"


class Pick(Dialog[int | None]):
    """Answers the index of the chosen item, None on esc. Keys go to the filter, arrows to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
    ]

    def __init__(self, title: str, items: Sequence[str], *, chosen: int = 0) -> None:
        """`chosen` is the item under the cursor at first."""
        super().__init__()
        self._title, self._items, self._first = title, items, chosen
        self._matching = list(range(len(items)))

    def compose(self) -> ComposeResult:
        """Title, filter, list, keys."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown(self._title, "bold"))
            yield Input(placeholder="type to filter", compact=True)
            yield VirtualTable([Column("", 1.0)], self._cells)
            yield Static(KEYS, classes="dialog-keys")

    def on_mount(self) -> None:
        """All items at first."""
        table = self.query_one(VirtualTable)
        table.can_focus = False
        table.set_row_count(len(self._items))
        table.move_to(self._first)

    def _cells(self, row: int) -> list[str]:
        return [self._items[self._matching[row]]]

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        typed = event.value.casefold().strip()
        folded = [item.casefold() for item in self._items]
        found = [index for index, item in enumerate(folded) if all(word in item for word in typed.split())]
        # `step 10` is step 10 before it is step 20 of a run whose name has a 10 in it
        self._matching = sorted(found, key=lambda index: typed not in folded[index])
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self._matching))
        table.move_to(0)
        table.refresh_rows()
        keys = KEYS if self._matching else "nothing has that in its name   esc leaves"
        self.query_one(".dialog-keys", Static).update(keys)

    @on(Input.Submitted)
    @on(VirtualTable.Selected)
    def _choose(self) -> None:
        if self._matching:
            self.dismiss(self._matching[self.query_one(VirtualTable).cursor])

    def action_move(self, rows: int) -> None:
        """Up or down in the list."""
        self.query_one(VirtualTable).action_move(rows)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.query_one(VirtualTable).action_page(pages)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
