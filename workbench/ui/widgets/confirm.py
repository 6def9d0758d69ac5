"""A question with two answers that says what follows from yes."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog


class Confirm(Dialog[bool]):
    """y answers True, n and esc answer False; enter answers yes, or no where yes would lose something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
        Binding("enter", "enter", show=False),
    ]

    def __init__(self, question: str, consequence: str = "", *, loses: bool = False) -> None:
        """`loses`: yes cannot be taken back, so that enter, which is pressed without reading, means no."""
        super().__init__()
        self.question, self.consequence, self.loses = question, consequence, loses

    def compose(self) -> ComposeResult:
        """Question, consequence, keys."""
        yes, no = ("y", "n, esc or enter") if self.loses else ("y or enter", "n or esc")
        with Vertical(classes="dialog"):
            yield Static(shown(self.question, "bold"))
            if self.consequence:
                yield Static(shown(self.consequence))
            yield Static(Text.assemble((yes, "bold"), " yes    ", (no, "bold"), " no"), classes="dialog-keys")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

    def action_enter(self) -> None:
        """The answer that is safe to give without reading."""
        self.dismiss(not self.loses)
