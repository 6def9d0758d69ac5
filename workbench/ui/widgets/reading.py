"""A few lines to be read, with a title: for what is not worth a pane of its own."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog


class Reading(Dialog[None]):
    """Lines that scroll where they are many."""

    BINDINGS = [Binding("escape,q,enter,space", "dismiss", "Close")]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        """Title, lines, key."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown(self._title, "bold"))
            with VerticalScroll():
                yield Static(shown("\n".join(self._lines)))
            yield Static("esc closes", classes="dialog-keys")
