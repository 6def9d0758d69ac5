"""One answer for each value of what is given, such as each emotion; a number takes one of them."""

import asyncio
from dataclasses import dataclass, field
from functools import partialmethod

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from workbench.chat.candidates import Candidate, choose
from workbench.chat.protocol import Column, Done, Failed, Piece
from workbench.chat.structure import with_value
from workbench.chat.transcript import result_fields
from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.ui.actions import bindings
from workbench.ui.panes.chat.turns import ending
from workbench.ui.panes.chat.view import ChatView
from workbench.ui.text import shown
from workbench.ui.widgets.turns import Turn, TurnsView


@dataclass(slots=True)
class Asked:
    """An answer that may be taken.

    Attributes:
        value: what it was given.
        message: what the model was asked to fill; its text comes with `text`.
        text: cleaned, once it is complete.
        done: how it ended.
        failure: why there is none.
        pieces: of the text as it comes.
    """

    value: str
    message: Message
    text: str = ""
    done: Done | None = None
    failure: str = ""
    pieces: list[str] = field(default_factory=list)


class CandidatesView(ChatView):
    """Numbered answers of the current column to the last question."""

    NAME = "candidates"
    BINDINGS = bindings("chat.candidates")

    def compose(self) -> ComposeResult:
        """What is chosen from, the candidates."""
        yield Static(id="candidates-said")
        yield TurnsView(id="candidates")

    def on_mount(self) -> None:
        """None yet."""
        self.candidates: list[Asked] = []

    def came_into_view(self) -> None:
        """Keys go to the list."""
        self.query_one(TurnsView).focus()

    def begin(self) -> None:
        """One candidate for each value, the others as they are given now."""
        key, values = self.pane.candidate_values()
        given = self.pane.given["assistant"]
        structure = self.pane.structure
        assert structure is not None
        self.candidates = [
            Asked(value, structure.message("assistant", "", with_value(given, key, value)))
            for value in values
        ]
        self.query_one("#candidates-said", Static).update(
            shown(
                f"One answer for each {key}: a number takes it into the conversation, esc takes none", "bold"
            )
        )
        self.draw()
        self.pane.asking_worker = self._ask()

    @work(exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """All candidates at once."""
        pane, column = self.pane, self.pane.column
        settings, before = pane.settings_of(column), pane.conversation.prompt(column.number)
        try:
            async with pane.asking([column]):
                asked = [Column(column.key, [*before, each.message], settings) for each in self.candidates]
                async for reply in pane.models.engine.generate(asked, details=True):
                    candidate = self.candidates[reply.column or 0]
                    match reply:
                        case Piece():
                            candidate.pieces.append(reply.text)
                        case Done():
                            candidate.text = pane.cleaned(column, "".join(candidate.pieces), settings).text
                            candidate.done = reply
                        case Failed():
                            candidate.failure = str(reply.error())
        except WorkbenchError as error:
            for candidate in self.candidates:
                if candidate.done is None:
                    candidate.failure = str(error)
        except asyncio.CancelledError:
            for candidate in self.candidates:
                candidate.failure = candidate.failure or "stopped"
            raise
        finally:
            if self.is_attached:
                self.draw()
                pane.say_target()
                self.workbench.refresh_keys()

    def draw(self) -> None:
        """All of them, as far as they have come; complete ones that break off say so."""
        ended = [Candidate(each.value, each.text) for each in self.candidates if each.done]
        dropped = choose(ended).dropped if len(ended) == len(self.candidates) else {}
        turns = []
        for number, each in enumerate(self.candidates, 1):
            text = each.text or "".join(each.pieces)
            figures = ending(result_fields(each.done)) if each.done else ""
            if each.failure:
                figures = f"! {each.failure}"
            elif (number - 1) in dropped:
                figures = f"{dropped[number - 1]}, {figures}"
            turns.append(Turn(f"{number} {each.value}", text or "…", figures))
        self.query_one(TurnsView).show(turns)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Only a complete answer is taken, and after all have come."""
        if not name.startswith("take_"):
            return None
        if self.pane.answering:
            return "the answers are still being written: esc stops them"
        number = int(name.removeprefix("take_"))
        if number > len(self.candidates):
            return f"there are {len(self.candidates)} candidates"
        candidate = self.candidates[number - 1]
        if candidate.done is None or not candidate.text.strip():
            return "this one has no answer"
        return None

    def take(self, number: int) -> None:
        """This candidate becomes the answer."""
        candidate = self.candidates[number - 1]
        assert candidate.done is not None
        self.pane.take_candidate(candidate.message, "".join(candidate.pieces), candidate.done)
        self.pane.show_talk()

    do_take_1 = partialmethod(take, 1)
    do_take_2 = partialmethod(take, 2)
    do_take_3 = partialmethod(take, 3)
    do_take_4 = partialmethod(take, 4)
    do_take_5 = partialmethod(take, 5)
    do_take_6 = partialmethod(take, 6)
    do_take_7 = partialmethod(take, 7)
    do_take_8 = partialmethod(take, 8)

    def do_back(self) -> None:
        """None is taken; those that are being written are stopped first."""
        if self.pane.answering:
            self.call_later(self.pane.do_halt)
        else:
            super().do_back()
