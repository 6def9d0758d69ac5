"""Ask for a number."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog


class AskNumber(Dialog[int | None]):
    """Answers a whole number of `least` or more; None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, *, least: int, now: int | None = None) -> None:
        """`now` is what holds at present."""
        super().__init__()
        self._title, self._least, self._now = title, least, now

    def compose(self) -> ComposeResult:
        """Title, input, keys."""
        with Vertical(classes="dialog"):
            yield Static(shown(self._title, "bold"))
            if self._now is not None:
                yield Static(f"now {self._now:,}")
            yield Input(placeholder=f"{self._least} or more", compact=True)
            yield Static("enter takes it   esc leaves", classes="dialog-keys")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if typed.isdecimal() and int(typed) >= self._least:
            self.dismiss(int(typed))
        else:
            self.notify(f"a whole number, {self._least} or more", severity="warning")

    def action_leave(self) -> None:
        """No number."""
        self.dismiss(None)
