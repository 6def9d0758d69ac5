"""Held-out rows whose text is trained on as well: they measure memory, not learning."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from workbench.data.dataset import Dataset
from workbench.data.digest import digest, digest_of, said
from workbench.data.example import Example, Origin
from workbench.data.near import NearIndex, Sketcher, normalise
from workbench.data.rows import Cancelled, Progress
from workbench.data.selection import Origins, Selection

if TYPE_CHECKING:
    from workbench.data.near import Sketches

Likeness = Literal["same", "same question", "nearly the same"]
MOST_HELD_OUT = 50_000
MOST_TRAINED = 200_000
"""Rows compared for near likeness, which takes some ten times as long; equal ones are found among all."""
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
        trained: training rows that were compared for nearness.
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
    sides = selection.sides
    total = len(sides["validation"]) + len(sides["test"]) + len(sides["train"])
    done = 0

    def batches(origins: Origins) -> Iterator[list[Example]]:
        nonlocal done
        batch = []
        for origin in origins:
            done += 1
            if isinstance(example := dataset.example(origin.source, origin.row), Example):
                batch.append(example)
            if len(batch) == _BATCH:
                if cancelled and cancelled():
                    return
                if progress:
                    progress(done / total)
                yield batch
                batch = []
        yield batch

    held = _HeldOut()
    for side in (sides["validation"], sides["test"]):
        for batch in batches(side):
            held.add(batch)
    trained = 0
    if held.count:
        stride = -(-len(sides["train"]) // MOST_TRAINED)
        for n, batch in enumerate(batches(sides["train"])):
            near = n % stride == 0
            held.compare(batch, near)
            trained += len(batch) * near
    return Leaks(held.leaks(), held.count, trained)


class _HeldOut:
    """The held-out rows, found again by content, by question and by likeness."""

    def __init__(self) -> None:
        self._origins: list[Origin] = []
        self._same: dict[int, list[int]] = {}
        self._asked: dict[int, list[int]] = {}
        self._sketcher = Sketcher()
        self._near = NearIndex()
        self._worst: dict[int, Leak] = {}

    @property
    def count(self) -> int:
        return len(self._origins)

    def add(self, batch: list[Example]) -> None:
        first = self.count
        for number, example in enumerate(batch, first):
            self._origins.append(example.origin)
            self._same.setdefault(digest(example), []).append(number)
            self._asked.setdefault(_asked(example), []).append(number)
        if self.count <= MOST_HELD_OUT:
            self._near.add_many(range(first, self.count), self._sketches(batch))

    def compare(self, batch: list[Example], near: bool) -> None:
        for example in batch:
            self._note(self._same.get(digest(example), ()), example, "same")
            self._note(self._asked.get(_asked(example), ()), example, "same question")
        if near:
            for example, alike in zip(batch, self._near.similar_many(self._sketches(batch)), strict=True):
                self._note(alike, example, "nearly the same")

    def leaks(self) -> list[Leak]:
        return [self._worst[number] for number in sorted(self._worst)]

    def _sketches(self, batch: list[Example]) -> "Sketches":
        return self._sketcher.sketch_many([said(example) for example in batch])

    def _note(self, numbers: Iterable[int], example: Example, likeness: Likeness) -> None:
        for number in numbers:
            before = self._worst.get(number)
            if before is None or _RANK[likeness] < _RANK[before.likeness]:
                self._worst[number] = Leak(self._origins[number], example.origin, likeness)


_RANK: dict[Likeness, int] = {"same": 0, "same question": 1, "nearly the same": 2}


def _asked(example: Example) -> int:
    """The user's words and the context they stand in, blanks, case and punctuation aside."""
    users = [message.content for message in example.messages if message.role == "user"]
    texts = [text for _, text in example.blocks] + (users or [m.content for m in example.messages])
    return digest_of(*map(normalise, texts))
