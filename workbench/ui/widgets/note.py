"""Texts that a person writes: a line for a run's journal, or a text that is there already, changed."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.message_input import MessageInput


class TextDialog(Dialog[str | None]):
    """Answers what was written in its input, None for esc."""

    @on(MessageInput.Sent)
    def _sent(self, event: MessageInput.Sent) -> None:
        self.dismiss(event.text)

    @on(MessageInput.Left)
    def _left(self) -> None:
        self.dismiss(None)


class NoteDialog(TextDialog):
    """The journal as it is, and a paragraph to add to it."""

    def __init__(self, title: str, before: str) -> None:
        super().__init__()
        self._title, self._before = title, before

    def compose(self) -> ComposeResult:
        """Title, what is written already, the input."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown(f"Journal of {self._title}", "bold"))
            with VerticalScroll(can_focus=False):
                yield Static(shown(self._before.strip() or "nothing yet"))
            yield MessageInput(id="note")

    def on_mount(self) -> None:
        """The input has the keys."""
        note = self.query_one(MessageInput)
        note.placeholder = "What was tried, what came of it"
        note.focus()


class EditDialog(TextDialog):
    """A text that is changed in place."""

    def __init__(self, title: str, before: str) -> None:
        super().__init__()
        self._title, self._before = title, before

    def compose(self) -> ComposeResult:
        """Title, the text."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown(self._title, "bold"))
            yield MessageInput(id="edited")

    def on_mount(self) -> None:
        """The text has the keys, the cursor at its end."""
        edited = self.query_one(MessageInput)
        edited.placeholder = ""
        edited.text = self._before
        edited.move_cursor(edited.document.end)
        edited.focus()
