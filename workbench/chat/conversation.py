"""What was said in the chat: questions, and the answers of one or more models to each, with all branches.

An exchange is a question and what each column answered. Exchanges form a tree: a question asked again, or put
otherwise, is a branch beside the old one, which stays. The path from the first exchange to `at` is the
conversation as it stands. A column that has no answer to a question, because it came later or failed, goes on
from what the first column said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.chat.protocol import Done, Target, TokenDetail
from workbench.chat.transcript import (
    Entry,
    Rating,
    Transcript,
    result_fields,
    target_fields,
)
from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.schema import ChatSettings

BY_HAND = {"label": "written by hand"}
"""Whom an answer is from that a person changed."""


@dataclass(slots=True, eq=False)
class Answer:
    """One answer, and where it came from; target, settings and result as a transcript has them.

    Attributes:
        message: as the model is asked with it from now on.
        cut: what clean-up took out of it.
        details: how likely each token was; empty for an answer that was read from a file.
        rating: what a person thinks of it.
        issues: what is wrong with it, as a person put it.
        number: in the transcript; None when it is not there.
        saved: it was saved as a training row.
    """

    message: Message
    target: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    cut: str = ""
    details: Sequence[TokenDetail] = ()
    rating: Rating = ""
    issues: list[str] = field(default_factory=list)
    number: int | None = None
    saved: bool = False


@dataclass(slots=True, eq=False)
class Exchange:
    """A question and its answers, by column; without one it is still open."""

    question: Message
    parent: "Exchange | None" = None
    answers: dict[int, Answer] = field(default_factory=dict)

    def answer_for(self, column: int) -> Answer | None:
        """What this column goes on from: its own answer, else the first there is."""
        return self.answers.get(column) or next(iter(self.answers.values()), None)


class Conversation:
    """One conversation and its branches.

    Attributes:
        at: the last exchange of the conversation as it stands; None before the first.
        transcript: where answers are kept; None before the first.
    """

    def __init__(self, project_folder: Path) -> None:
        self.at: Exchange | None = None
        self.transcript: Transcript | None = None
        self._folder = project_folder
        self._all: list[Exchange] = []
        self._before: list[Exchange | None] = []

    @classmethod
    def reopen(cls, path: Path, project_folder: Path) -> "Conversation":
        """A conversation that was kept, with all that was asked again as branches.

        What a person changed has no line of its own: it is known from the answers that followed it. Where
        several columns stood on it, those that answered later may be shown with the changed text as well.

        Raises WorkbenchError: it cannot be read or written, or holds no answer.
        """
        made = cls(project_folder)
        made.transcript, entries = Transcript.reopen(path)
        if not entries:
            raise fault("no answer was kept", path)
        made._read(entries)
        return made

    @property
    def path(self) -> list[Exchange]:
        """The exchanges of the conversation as it stands, the first one first."""
        return _path(self.at)

    @property
    def open(self) -> Exchange | None:
        """The question that has no answer yet, if the conversation ends with one."""
        return self.at if self.at is not None and not self.at.answers else None

    @property
    def branches(self) -> list[Exchange]:
        """Where each branch ends, the oldest first; the one that stands is among them."""
        parents = {exchange.parent for exchange in self._all}
        return [each for each in self._all if each is self.at or (each not in parents and each.answers)]

    def messages(self, column: int) -> list[Message]:
        """A column's conversation as it stands: each question, and its answer if there is one."""
        return self.messages_to(self.at, column)

    def messages_to(self, last: Exchange | None, column: int) -> list[Message]:
        """As `messages`, up to an exchange."""
        said = []
        for exchange in _path(last):
            said.append(exchange.question)
            if answer := exchange.answer_for(column):
                said.append(answer.message)
        return said

    def prompt(self, column: int) -> list[Message]:
        """What a column is asked with: all before the last question, and that question."""
        assert self.at is not None
        return [*self.messages_to(self.at.parent, column), self.at.question]

    def last_answer(self, column: int) -> Answer | None:
        """The newest answer that this column goes on from."""
        found = (exchange.answer_for(column) for exchange in reversed(self.path))
        return next((answer for answer in found if answer), None)

    @property
    def last_targets(self) -> dict[int, dict[str, Any]]:
        """Whom each column was with last on the way here, as a transcript has it."""
        found: dict[int, dict[str, Any]] = {}
        for exchange in self.path:
            found |= {column: each.target for column, each in exchange.answers.items() if each.result}
        return dict(sorted(found.items()))

    # Moves; `undo` takes each of them back

    def ask(self, question: Message) -> None:
        """A question; it takes the place of one that never got an answer: two in a row fit no template."""
        if self.open is not None:
            self.open.question = question
            return
        self._go(self._add(Exchange(question, self.at)))

    def ask_again(self) -> None:
        """The last question once more; the answers that it has are a branch then."""
        assert self.at is not None
        if self.open is None:
            self._go(self._add(Exchange(self.at.question, self.at.parent)))

    def edit(self, exchange: Exchange, question: Message) -> None:
        """Put a question otherwise and go on from there; what followed the old one is a branch then."""
        if exchange is self.open:
            exchange.question = question
        else:
            self._go(self._add(Exchange(question, exchange.parent)))

    def edit_answer(self, exchange: Exchange, column: int, text: str) -> None:
        """Let a column have said something else, and go on from there; the old one is a branch then."""
        old = exchange.answer_for(column)
        assert old is not None
        changed = Answer(replace(old.message, content=text), BY_HAND)
        copy = Exchange(exchange.question, exchange.parent, exchange.answers | {column: changed})
        self._go(self._add(copy))

    def go_to(self, exchange: Exchange) -> None:
        """Another branch."""
        if exchange is not self.at:
            self._go(exchange)

    @property
    def can_undo(self) -> bool:
        """There is a move to take back."""
        return bool(self._before)

    def undo(self) -> None:
        """Take the last move back; what it led to stays as a branch."""
        self.at = self._before.pop()

    # Answers

    def answer(
        self,
        column: int,
        message: Message,
        target: Target,
        settings: ChatSettings,
        done: Done,
        *,
        cut: str = "",
        raw: str = "",
    ) -> Answer:
        """Take an answer to the last question in and append it to the transcript; the first one begins it.

        Raises WorkbenchError: the transcript cannot be written; the conversation goes on all the same.
        """
        assert self.at is not None
        made = Answer(
            message,
            target_fields(target),
            settings.model_dump(mode="json"),
            result_fields(done),
            cut,
            done.details,
        )
        beside = next((each.number for each in self.at.answers.values()), None)
        self.at.answers[column] = made
        if self.transcript is None:
            self.transcript = Transcript.begin(self._folder)
        made.number = self.transcript.add(
            self.messages(column), target, settings, done, column=column, beside=beside, cut=cut, raw=raw
        )
        return made

    def judge(self, answer: Answer, *, rating: Rating | None = None, issue: str = "") -> None:
        """Rate an answer, or say what is wrong with it. Raises WorkbenchError: it cannot be kept."""
        if self.transcript is None or answer.number is None:
            raise fault("the answer is not in the transcript", hint="g asks for another one")
        self.transcript.judge(answer.number, rating=rating, issue=issue)
        if rating is not None:
            answer.rating = rating
        if issue:
            answer.issues.append(issue)

    def _add(self, exchange: Exchange) -> Exchange:
        self._all.append(exchange)
        return exchange

    def _go(self, exchange: Exchange) -> None:
        self._before.append(self.at)
        self.at = exchange

    # Reading

    def _read(self, entries: Sequence[Entry]) -> None:
        said: dict[int, list[Message]] = {}
        answered: list[Exchange] = []
        for number, entry in enumerate(entries):
            messages = said.setdefault(entry.column, [])
            messages[entry.keep :] = entry.messages
            *earlier, last = zip(messages[::2], messages[1::2], strict=False)
            if entry.beside is not None and entry.beside < number:
                exchange = answered[entry.beside]
            else:
                at = None
                for question, answer in earlier:
                    at = self._known(at, question, answer, entry.column)
                exchange = self._add(Exchange(last[0], at))
            exchange.answers[entry.column] = Answer(
                last[1],
                entry.target,
                entry.settings,
                entry.result,
                entry.cut,
                rating=entry.rating,
                issues=list(entry.issues),
                number=number,
            )
            answered.append(exchange)
            self.at = exchange

    def _known(self, parent: Exchange | None, question: Message, said: Message, column: int) -> Exchange:
        """The exchange that a later one stands on; one that was changed by hand has no line of its own."""
        for exchange in reversed(self._following(parent, question)):
            answer = exchange.answer_for(column)
            if answer is not None and answer.message == said:
                return exchange
        others = self._following(parent, question)
        answers = dict(others[-1].answers) if others else {}
        return self._add(Exchange(question, parent, answers | {column: Answer(said, BY_HAND)}))

    def _following(self, parent: Exchange | None, question: Message) -> list[Exchange]:
        return [each for each in self._all if each.parent is parent and each.question == question]


def depth(exchange: Exchange | None) -> int:
    """How many exchanges the way to this one has, itself among them."""
    return len(_path(exchange))


def _path(exchange: Exchange | None) -> list[Exchange]:
    found = []
    while exchange is not None:
        found.append(exchange)
        exchange = exchange.parent
    return found[::-1]
