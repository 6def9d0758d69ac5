"""Ask for a text of one or more lines."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.message_input import MessageInput


class AskText(Dialog[str | None]):
    """Answers the text, which may be empty; None on esc."""

    def __init__(self, title: str, about: str, text: str = "") -> None:
        super().__init__()
        self._title, self._about, self._text = title, about, text

    def compose(self) -> ComposeResult:
        """Title, what it is for, the input."""
        with Vertical(classes="dialog"):
            yield Static(shown(self._title, "bold"))
            yield Static(shown(self._about))
            yield MessageInput(id="asked", blank=True, doing="takes it")

    def on_mount(self) -> None:
        """The input has the keys, the cursor is at the end."""
        asked = self.query_one(MessageInput)
        asked.placeholder = "empty"
        asked.load_text(self._text)
        asked.move_cursor(asked.document.end)
        asked.focus()

    @on(MessageInput.Sent)
    def _sent(self, event: MessageInput.Sent) -> None:
        self.dismiss(event.text)

    @on(MessageInput.Left)
    def _left(self) -> None:
        self.dismiss(None)
