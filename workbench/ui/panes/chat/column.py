"""One column: a model, its settings where they differ, and its side of the conversation."""

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from workbench.chat.conversation import Conversation
from workbench.chat.protocol import Done, Target
from workbench.chat.transcript import result_fields, target_fields
from workbench.project.fields import format_value
from workbench.ui.panes.chat.models import key_of
from workbench.ui.panes.chat.turns import Place, ending, short_name, turns_of
from workbench.ui.text import shown
from workbench.ui.widgets.turns import Turn, TurnsView

LEAST = 38
"""Cells of a column that is still read with ease; where there is no room for all, tab brings the others."""


class ColumnView(Vertical):
    """A model that answers every message.

    Attributes:
        number: in the conversation; stays when other columns go.
        target: whom it asks.
        own: settings of this column alone, by name.
        text: the answer that is being written, as far as it has come.
        failure: why the last question has no answer here.
        answering: an answer is being written.
    """

    def __init__(self, number: int, target: Target) -> None:
        super().__init__()
        self.number, self.target = number, target
        self.own: dict[str, Any] = {}
        self.text = ""
        self.failure = ""
        self.places: list[Place | None] = []
        self.answering = False
        self._unseen: list[str] = []

    def compose(self) -> ComposeResult:
        """Its name where there are several, the turns."""
        yield Static(classes="column-name")
        yield TurnsView()

    @property
    def key(self) -> str:
        """Under which the engine holds its target."""
        return key_of(self.target)

    @property
    def short_name(self) -> str:
        """Of its target."""
        return short_name(target_fields(self.target))

    @property
    def turns(self) -> TurnsView:
        """What is scrolled and focused."""
        return self.query_one(TurnsView)

    def name_it(self, here: bool, number: int, many: bool) -> None:
        """The line above: `>` marks the column that keys go to."""
        name = self.query_one(".column-name", Static)
        name.display = many
        line = Text("> " if here else "  ", style="bold reverse" if here else "bold")
        line.append_text(shown(f"{number} {self.short_name}"))
        if self.target.run:
            line.append_text(shown(f"\n  {self.target.run}", "dim"))
        if self.own:
            own = ", ".join(f"{key} {format_value(value)}" for key, value in self.own.items())
            line.append_text(shown(f"\n  {own}", "dim"))
        name.update(line)

    def show(
        self, conversation: Conversation, *, selected: Place | None, markdown: bool, system: str
    ) -> None:
        """The conversation as it stands, and why the last question has no answer."""
        turns, self.places = turns_of(conversation, self.number, markdown=markdown, system=system)
        if self.answering:
            return
        if self.failure:
            turns.append(Turn(self.short_name, self.failure))
            self.places.append(None)
        at = self.places.index(selected) if selected and selected in self.places else None
        self.turns.show(turns, at)

    # An answer

    def begin(self) -> None:
        """An answer begins."""
        self.text, self.failure, self._unseen, self.answering = "", "", [], True
        self.turns.open_turn(self.short_name)

    def take(self, piece: str) -> None:
        """More of it; the screen is told by `draw`."""
        self._unseen.append(piece)

    def draw(self) -> None:
        """Show what has come since."""
        if self._unseen:
            new = "".join(self._unseen)
            self._unseen = []
            self.text += new
            self.turns.grow(new)

    def end(self, failure: str = "") -> None:
        """It is complete, or failed."""
        self.text += "".join(self._unseen)
        self._unseen, self.answering = [], False
        self.failure = f"{self.text}\n{failure}".lstrip() if failure else ""

    def end_empty(self, done: Done) -> None:
        """It ended without a word."""
        self.text, self._unseen, self.answering = "", [], False
        self.failure = f"no answer\n{ending(result_fields(done))}"
