"""Which of several answers to one question is taken, such as one candidate for each emotion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.chat.cleanup import finished


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer.

    Attributes:
        label: what it was asked for with: an emotion, a target.
        text: of it, cleaned.
    """

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was taken, and what was not.

    Attributes:
        index: of the candidate that was taken; None where every one is empty.
        dropped: index to why a candidate was not considered: ``empty`` or ``unfinished``.
        scores: index to the scorer's score of each that was considered.
    """

    index: int | None
    dropped: dict[int, str]
    scores: dict[int, float]


def choose(candidates: Sequence[Candidate], score: Callable[[Candidate], float] | None = None) -> Choice:
    """The best candidate: those that are empty or break off in the middle of a sentence are dropped first.

    Where all that say something break off they are considered after all: a person is owed an answer.

    Args:
        candidates: in the order of preference where scores are equal.
        score: higher is better; without it the first one is taken.
    """
    empty = {i: "empty" for i, each in enumerate(candidates) if not each.text.strip()}
    said = [i for i in range(len(candidates)) if i not in empty]
    whole = [i for i in said if finished(candidates[i].text)]
    cut = {i: "unfinished" for i in said if whole and i not in whole}
    scores = {i: score(candidates[i]) if score else 0.0 for i in whole or said}
    best = max(scores, key=lambda i: scores[i], default=None)
    return Choice(best, empty | cut, scores)
