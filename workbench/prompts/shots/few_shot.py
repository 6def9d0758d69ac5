"""Few-shot prompts: which examples are drawn, and never one that gives the scored row's answer away.

The pool stands in an order that seed and row number alone decide, so that rows appended to it later rarely
change a draw. All scored rows get the same examples; where one of these is the scored row itself or says the
same, the next of its tag value stands in for it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock

from workbench.data.dataset import Dataset
from workbench.data.digest import digest_of, group_of
from workbench.data.example import Example, Origin
from workbench.data.likeness.near import normalise
from workbench.data.selection import Selection, in_drawn_order
from workbench.errors import fault
from workbench.project.schema import FewShot
from workbench.prompts.encoding.writer import is_asked

TELLING = 20
"""Characters, blanks and punctuation aside, from which an equal answer counts as the same text: shorter ones
are labels and courtesies that many rows share."""


@dataclass(frozen=True, slots=True)
class Shots:
    """The examples of one prompt, in order.

    Attributes:
        examples: the drawn rows.
        replaced: drawn rows that give the scored row away; others stand at their places.
    """

    examples: tuple[Example, ...]
    replaced: tuple[Origin, ...] = ()

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where they come from."""
        return tuple(example.origin for example in self.examples)


class Deck:
    """A pool that examples are drawn from. `draw` may be called from several threads.

    Attributes:
        settings: how many, from where, balanced by what.
        drawn: the examples that all rows get.
        stored: they were drawn before and kept.
    """

    def __init__(
        self, dataset: Dataset, selection: Selection, settings: FewShot, first: Sequence[Example] = ()
    ) -> None:
        """Draw the examples that all rows get.

        Args:
            dataset: the opened sources.
            selection: which of their rows stand on which side.
            settings: how many, from where, balanced by what.
            first: examples that were drawn before and are kept; else they are drawn now.

        Raises WorkbenchError: no examples are asked for, the pool holds too few, or no row has the tag.
        """
        if not settings.count:
            raise fault("no examples are asked for", "prompt.few_shot.count", "set how many, such as 3")
        self.settings = settings
        self._dataset = dataset
        self._pool = selection.sides[settings.pool]
        self._left = self._values(selection)
        self._scan = self._candidates()
        self._seen: set[int] = set()
        self._taken: set[Origin] = set()
        self._waiting: dict[str, deque[Example]] = {value: deque() for value in self._left}
        self._reserve: dict[str, list[Example]] = {value: [] for value in self._left}
        self._lock = Lock()
        for example in first:
            self._seen.add(asked(example))
            self._taken.add(example.origin)
        self.stored = bool(first)
        self.drawn = tuple(first) or tuple(self._draw())

    def draw(self, scored: Example | None = None) -> Shots:
        """The examples for one scored row; those that all rows get without one.

        Raises WorkbenchError when the pool holds no other row to stand in for one that gives `scored` away.
        """
        if scored is None:
            return Shots(self.drawn)
        examples: list[Example] = []
        replaced: list[Origin] = []
        with self._lock:
            for example in self.drawn:
                if gives_away(example, scored):
                    replaced.append(example.origin)
                    example = self._stand_in(self._value(example), scored, examples)
                examples.append(example)
        return Shots(tuple(examples), tuple(replaced))

    def _values(self, selection: Selection) -> dict[str, int]:
        """How many rows of the pool there are for each value of the tag, in a drawn order; "" for all."""
        tag = self.settings.balance
        if not tag:
            return {"": len(self._pool)}
        counted = selection.tags[tag][self.settings.pool] if tag in selection.tags else {}
        counts = {value: rows for value, rows in counted.items() if value and rows}
        if not counts:
            known = ", ".join(sorted(selection.tags)) or "none"
            raise fault(f"no row has the tag {tag!r}", "prompt.few_shot.balance", f"tags are: {known}")
        seed = self.settings.seed
        return {value: counts[value] for value in sorted(counts, key=lambda each: digest_of(str(seed), each))}

    def _draw(self) -> Iterator[Example]:
        """As many of each value as of the others, while they last."""
        missing, values = self.settings.count, list(self._left)
        while missing and values:
            for value in list(values):
                if not missing:
                    break
                if (example := self._next(value)) is None:
                    values.remove(value)
                else:
                    missing -= 1
                    yield example
        if missing:
            raise self._too_few(self.settings.count - missing)

    def _stand_in(self, value: str, scored: Example, others: Sequence[Example]) -> Example:
        """The next example of this value, else of another one, that is none of `others`."""
        taken = {example.origin for example in (*self.drawn, *others)}
        for each in sorted(self._left, key=lambda other: other != value):
            for example in self._after(each):
                if example.origin not in taken and not gives_away(example, scored):
                    return example
        raise self._too_few(len(self.drawn) - 1)

    def _after(self, value: str) -> Iterator[Example]:
        """What comes after the examples of all rows, with this value; read once."""
        reserve = self._reserve[value]
        for i in count():
            if i == len(reserve):
                if (example := self._next(value)) is None:
                    return
                reserve.append(example)
            yield reserve[i]

    def _too_few(self, found: int) -> Exception:
        settings = self.settings
        return fault(
            f"{settings.count} examples are asked for, {found} can be drawn from {settings.pool}",
            "prompt.few_shot",
            "ask for fewer, or name another pool: rows without an answer and equal questions do not count",
        )

    def _next(self, value: str) -> Example | None:
        """The next of the pool with this value; None when there is none left."""
        waiting = self._waiting[value]
        while not waiting and self._left[value]:
            if (example := next(self._scan, None)) is None:
                return None
            self._waiting[self._value(example)].append(example)
        return waiting.popleft() if waiting else None

    def _value(self, example: Example) -> str:
        return dict(example.tags).get(self.settings.balance, "") if self.settings.balance else ""

    def _candidates(self) -> Iterator[Example]:
        """The rows of the pool that can be examples, in drawn order, each question once."""
        for origin in in_drawn_order(self._pool, self.settings.seed):
            example = self._dataset.example(origin.source, origin.row)
            if not isinstance(example, Example) or self._value(example) not in self._left:
                continue
            self._left[self._value(example)] -= 1
            question = asked(example)
            if is_shot(example) and origin not in self._taken and question not in self._seen:
                self._seen.add(question)
                yield example


def is_shot(example: Example) -> bool:
    """It can be an example: somebody asks, and the answer is there."""
    return any(m.role == "user" for m in example.messages) and not is_asked(example.messages)


def gives_away(shot: Example, scored: Example) -> bool:
    """`shot` tells the answer of `scored`: it is the row itself, of its group, or says the same, case, blanks
    and punctuation aside."""
    if shot.origin == scored.origin or group_of(shot) == group_of(scored):
        return True
    if asked(shot) == asked(scored):
        return True
    answers = {text for text in _answers(scored) if len(text) >= TELLING}
    return not answers.isdisjoint(_answers(shot))


def asked(example: Example) -> int:
    """The user's words, case, blanks and punctuation aside."""
    return digest_of(*(normalise(m.content) for m in example.messages if m.role == "user"))


def _answers(example: Example) -> list[str]:
    return [normalise(message.content) for message in example.messages if message.role == "assistant"]
