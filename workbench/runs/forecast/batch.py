"""The largest micro-batch of a run: what has to fit into memory at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.project.schema import Project

if TYPE_CHECKING:
    from workbench.prompts.survey.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch as sizes.

    Attributes:
        rows: examples, or packed rows of `bfd`.
        tokens: positions that are computed, padding included.
        trained: positions of which the prediction is scored.
        longest: tokens of the longest example, for attention that holds its whole square.
        padded: rows stand beside each other instead of end to end.
        measured: lengths come from the project's rows, not from `data.max_tokens`.
    """

    rows: int
    tokens: int
    trained: int
    longest: int
    padded: bool
    measured: bool


def largest_batch(settings: Project, statistics: "Statistics | None") -> Batch:
    """The longest rows together, which is also what a run begins with.

    Without statistics every row counts as `data.max_tokens`, all of it trained.
    """
    training, limit = settings.training, settings.data.max_tokens
    side = statistics.sides.get("train") if statistics else None
    lengths = _longest(settings, statistics) if statistics else []
    padded = training.packing == "none"
    if not lengths or not side:
        rows = training.per_device_train_batch_size
        return Batch(rows, rows * limit, rows * limit, limit, padded, measured=False)
    rows = min(training.per_device_train_batch_size, max(side.rows, 1))
    taken = lengths[:rows]
    if training.packing == "bfd":
        rows = training.per_device_train_batch_size
        mean = sum(lengths) / len(lengths)
        tokens = round(min(rows * limit, max(sum(taken), mean * side.rows)))
    elif padded:
        tokens = rows * taken[0]
    else:
        tokens = sum(taken) + (rows - len(taken)) * taken[-1]
    # Only the average is known of what is trained
    return Batch(rows, tokens, round(tokens * side.supervised), taken[0], padded, measured=True)


def _longest(settings: Project, statistics: "Statistics") -> list[int]:
    """Lengths as they train, longest first: the longest of all rows, then those of the sample."""
    limit, cut = settings.data.max_tokens, settings.data.overlong == "truncate"

    def fitting(lengths: Iterable[int]) -> list[int]:
        return sorted((min(each, limit) for each in lengths if cut or each <= limit), reverse=True)

    known = fitting(tokens for _, _, tokens in statistics.sides["train"].longest)
    return known + fitting(statistics.train_lengths)[len(known) :]
