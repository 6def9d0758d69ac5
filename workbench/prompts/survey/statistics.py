"""Statistics of a project's rows: lengths in tokens and characters, what is trained, what padding costs."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERCENTILES = (50, 90, 95, 99)
BINS = 16
LONGEST = 20
SIMULATED = 20_000
"""Lengths of training rows that are kept for the simulation of batches."""
Packing = Literal["batch", "bfd", "none"]


@dataclass(slots=True)
class Lengths:
    """One distribution of lengths, all 0 where there are none.

    Attributes:
        count: how many lengths.
        mean: their mean.
        percentiles: 50, 90, 95 and 99: the smallest length that this share of the rows does not exceed.
        longest: the greatest.
        histogram: (first, last, count) for bins of equal width that cover all lengths.
    """

    count: int = 0
    mean: float = 0.0
    percentiles: dict[int, int] = field(default_factory=dict)
    longest: int = 0
    histogram: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class SideStatistics:
    """One side of the split: train, validation or test.

    Attributes:
        rows: rows of this side, once each.
        encoded: of those, the rows that token figures speak of: all that encode, or as many of a random
            sample.
        prompt: tokens that are only read.
        completion: tokens that are trained, or would be: no limit of `data` cuts anything here.
        total: both.
        supervised: share of the tokens that are trained.
        longest: (source, row, tokens) of the rows with the most tokens, among those that were encoded.
        longest_used: the same of the rows that a run takes, as long as the limits of `data` leave them; 0
            for one that it leaves out.
        question_characters: characters of all messages that are not answers, in all rows.
        answer_characters: characters of the answers, in all rows.
        scripts: script to the rows that are mostly written in it, most frequent first, in all rows.
    """

    rows: int = 0
    encoded: int = 0
    prompt: Lengths = field(default_factory=Lengths)
    completion: Lengths = field(default_factory=Lengths)
    total: Lengths = field(default_factory=Lengths)
    supervised: float = 0.0
    longest: list[tuple[int, int, int]] = field(default_factory=list)
    longest_used: list[tuple[int, int, int]] = field(default_factory=list)
    question_characters: Lengths = field(default_factory=Lengths)
    answer_characters: Lengths = field(default_factory=Lengths)
    scripts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Statistics:
    """All sides.

    Attributes:
        sides: `train`, `validation` and `test`, those that have rows.
        exact: every used row was encoded, instead of a sample.
        train_lengths: tokens of training rows that are within the limits of `data` or cut to them, at most
            SIMULATED of them, in random order: what `padding` is simulated with.
    """

    sides: dict[str, SideStatistics] = field(default_factory=dict)
    exact: bool = True
    train_lengths: list[int] = field(default_factory=list)


def lengths(values: "Sequence[int] | NDArray[np.int64]") -> Lengths:
    """The distribution of `values`."""
    import numpy as np

    if not len(values):
        return Lengths()
    array = np.sort(np.asarray(values, np.int64))
    at = {p: int(array[min(len(array) - 1, -(-p * len(array) // 100) - 1)]) for p in PERCENTILES}
    return Lengths(len(array), float(array.mean()), at, int(array[-1]), _histogram(array))


def _histogram(values: "NDArray[np.int64]") -> list[tuple[int, int, int]]:
    """Bins whose width is 1, 2 or 5 times a power of ten, so that a person can read them off."""
    import numpy as np

    width = next(
        step * 10**power
        for power in range(19)
        for step in (1, 2, 5)
        if int(values[-1]) // (step * 10**power) < BINS
    )
    counts = np.bincount(values // width)
    first = int(np.flatnonzero(counts)[0])
    return [(i * width, (i + 1) * width - 1, int(counts[i])) for i in range(first, len(counts))]


def padding(lengths: Sequence[int], micro_batch: int, max_tokens: int, seed: int) -> dict[Packing, float]:
    """Share of the positions that hold no token, for each way to make batches of rows of these lengths.

    `none`: rows in random order, `micro_batch` of them at a time, each padded to the longest of its batch.
    `batch`: the same rows laid end to end: nothing is padded. `bfd`: rows of `max_tokens`, filled best fit
    decreasing (a row goes where it leaves the least room; Johnson 1974); what stays free in them counts,
    though an engine that lays those rows end to end computes nothing for it.
    """
    import numpy as np

    values = np.asarray(lengths, np.int64)
    if not len(values):
        return {"none": 0.0, "batch": 0.0, "bfd": 0.0}
    order = np.random.default_rng(seed).permutation(values)
    starts = np.arange(0, len(order), micro_batch)
    sizes = np.diff(np.append(starts, len(order)))
    padded = int((np.maximum.reduceat(order, starts) * sizes).sum())
    tokens = int(values.sum())
    room = packed_rows(lengths, max_tokens) * max_tokens
    return {"none": 1 - tokens / max(padded, 1), "batch": 0.0, "bfd": 1 - tokens / max(room, 1)}


def packed_rows(lengths: Sequence[int], max_tokens: int) -> int:
    """Rows of `max_tokens` that best fit decreasing fills with examples of these lengths, each at most that.

    Examples are taken from the longest to the shortest, so those of equal length go one after another.
    """
    import numpy as np

    free = np.zeros(max_tokens + 1, np.int64)  # room to the number of rows that have it
    counts = np.bincount(np.asarray(lengths, np.int64), minlength=max_tokens + 1)
    rooms: list[int] = []  # rooms that some row has, ascending
    rows = 0
    for length in range(max_tokens, 0, -1):
        for _ in range(int(counts[length])):
            at = bisect_left(rooms, length)
            if at < len(rooms):
                room = rooms[at]
                free[room] -= 1
                if not free[room]:
                    del rooms[at]
            else:
                room, rows = max_tokens, rows + 1
            left = room - length
            if left and not free[left]:
                insort(rooms, left)
            free[left] += 1
    return rows
