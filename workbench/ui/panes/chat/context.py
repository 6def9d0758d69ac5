"""The context blocks of a chat: shared knowledge, switched on and off for this conversation."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.project.schema import Block
from workbench.ui.text import clean, shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.table import Column, VirtualTable

NO_BLOCKS = "The project has no context blocks: [[prompt.block]] in project.toml adds shared knowledge"


class ContextDialog(Dialog[set[str] | None]):
    """Answers the titles of the blocks that are left out; None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("space", "switch", show=False, priority=True),
        Binding("enter", "take", show=False, priority=True),
    ]

    def __init__(self, blocks: Sequence[Block], without: set[str], memory: str) -> None:
        super().__init__()
        self._blocks, self._without, self._memory = blocks, set(without), memory

    def compose(self) -> ComposeResult:
        """Memory, the blocks, the text of the one under the cursor, keys."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown("What is sent with a question", "bold"))
            yield Static(shown(self._memory))
            yield VirtualTable(
                [Column("", 3), Column("block", 1.0), Column("characters", 10, right=True)], self._cells
            )
            with VerticalScroll(can_focus=False):
                yield Static(id="block-text")
            yield Static("space switches a block   enter takes it   esc leaves", classes="dialog-keys")

    def on_mount(self) -> None:
        """The list has the keys."""
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self._blocks))
        table.focus()
        self._show(0)

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        """The text of the block."""
        self._show(event.row)

    def _show(self, row: int) -> None:
        text = NO_BLOCKS
        if row < len(self._blocks):
            block = self._blocks[row]
            text = block.text or f"from {block.file}"
        self.query_one("#block-text", Static).update(shown(text))

    def _cells(self, row: int) -> list[str]:
        block = self._blocks[row]
        sign = "[ ]" if block.title in self._without else "[x]"
        return [sign, clean(block.title), str(len(block.text)) if block.text else "a file"]

    def action_switch(self) -> None:
        """On or off."""
        if self._blocks:
            table = self.query_one(VirtualTable)
            self._without ^= {self._blocks[table.cursor].title}
            table.refresh_rows()

    def action_take(self) -> None:
        """Close with what is switched on."""
        self.dismiss(self._without)

    def action_leave(self) -> None:
        """As it was."""
        self.dismiss(None)
