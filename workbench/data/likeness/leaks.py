"""Held-out rows whose text is trained on as well: they measure memory, not learning."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from workbench.data.dataset import Dataset
from workbench.data.digest import answered, digest_of, said
from workbench.data.example import Example, Origin
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.likeness.near import Sketcher, normalise
from workbench.data.likeness.near_index import NearIndex
from workbench.data.selection import Selection

if TYPE_CHECKING:
    from workbench.data.likeness.near import Sketches

Likeness = Literal["same", "same question", "nearly the same"]
MOST_HELD_OUT = 50_000
MOST_TRAINED = 200_000
"""Rows compared for question and likeness, evenly spread; equal ones are known from all rows."""
_BATCH = 512


@dataclass(frozen=True, slots=True)
class Leak:
    """A held-out row and the first training row that is most like it.

    Attributes:
        held_out: the row of validation or test.
        trained: the training row.
        likeness: `same`: equal to the letter. `same question`: the user's words are the same, case, blanks
            and punctuation aside. `nearly the same`: four fifths of the text, see `near`.
    """

    held_out: Origin
    trained: Origin
    likeness: Likeness


@dataclass(slots=True)
class Leaks:
    """What was found, and among how many rows nearness was looked for.

    Attributes:
        found: one for each held-out row that leaks, in the order of the held-out rows.
        held_out: held-out rows that were looked at.
        trained: training rows that they were compared with, other than for being equal.
    """

    found: list[Leak] = field(default_factory=list)
    held_out: int = 0
    trained: int = 0


def find_leaks(
    dataset: Dataset,
    selection: Selection,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Leaks:
    """Hold validation and test against what is trained on.

    Args:
        dataset: the opened sources.
        selection: which rows stand on which side.
        progress: told the share that is done.
        cancelled: asked now and then; what was found until then is returned.
    """
    sides, held = selection.sides, _HeldOut(dict(selection.leaked))
    stride = max(1, -(-len(sides["train"]) // MOST_TRAINED))
    total = len(sides["validation"]) + len(sides["test"]) + len(sides["train"]) // stride
    done = 0

    def batches(origins: Iterable[Origin]) -> Iterator[list[Example]]:
        nonlocal done
        waiting = iter(origins)
        while batch := list(islice(waiting, _BATCH)):
            if cancelled and cancelled():
                return
            if progress:
                progress(done / total)
            done += len(batch)
            outcomes = [dataset.example(origin.source, origin.row) for origin in batch]
            yield [outcome for outcome in outcomes if isinstance(outcome, Example)]

    for side in (sides["validation"], sides["test"]):
        for batch in batches(side):
            held.add(batch)
    trained = 0
    if held.count:
        for batch in batches(islice(sides["train"], 0, None, stride)):
            held.compare(batch)
            trained += len(batch)
    return Leaks(held.leaks(), held.count, trained)


class _HeldOut:
    """The held-out rows, found again by question and by likeness."""

    def __init__(self, same: dict[Origin, Origin]) -> None:
        self._same = same
        self._origins: list[Origin] = []
        self._asked: dict[int, list[int]] = {}
        self._sketcher = Sketcher()
        self._near = NearIndex()
        self._alike: dict[int, Leak] = {}

    @property
    def count(self) -> int:
        return len(self._origins)

    def add(self, batch: list[Example]) -> None:
        first = self.count
        self._origins += [example.origin for example in batch]
        if self.count <= MOST_HELD_OUT:
            for number, example in enumerate(batch, first):
                self._asked.setdefault(_asked(example), []).append(number)
            self._near.add_many(range(first, self.count), self._sketches(batch))

    def compare(self, batch: list[Example]) -> None:
        for example, alike in zip(batch, self._near.similar_many(self._sketches(batch)), strict=True):
            for number in alike:
                self._alike.setdefault(number, Leak(self._origins[number], example.origin, "nearly the same"))
            for number in self._asked.get(_asked(example), ()):
                before = self._alike.get(number)
                if before is None or before.likeness != "same question":
                    self._alike[number] = Leak(self._origins[number], example.origin, "same question")

    def leaks(self) -> list[Leak]:
        found = []
        for number, origin in enumerate(self._origins):
            if trained := self._same.get(origin):
                found.append(Leak(origin, trained, "same"))
            elif number in self._alike:
                found.append(self._alike[number])
        return found

    def _sketches(self, batch: list[Example]) -> "Sketches":
        return self._sketcher.sketch_many(list(map(said, batch)), list(map(answered, batch)))


def _asked(example: Example) -> int:
    """The user's words and the context they stand in, blanks, case and punctuation aside."""
    users = [message.content for message in example.messages if message.role == "user"]
    texts = [text for _, text in example.blocks] + (users or [m.content for m in example.messages])
    return digest_of(*map(normalise, texts))
