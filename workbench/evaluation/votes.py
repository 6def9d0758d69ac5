"""Side by side, blind: two answers to one prompt, which is which left to chance, and one vote."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from workbench.evaluation.intervals import Interval, wilson
from workbench.evaluation.log import append, read_log
from workbench.evaluation.records import RowRecord
from workbench.prompts.survey.checks.seen import rows

DEFINITION = (
    "share of the votes that a contestant won, a tie (both bad, too) being half a win for each; Wilson's "
    "interval, 95 per cent. Nobody is called the winner while the interval holds 0.5"
)
Choice = Literal["A", "B", "tie", "both bad"]


class Vote(RowRecord):
    """One vote.

    Attributes:
        time: in seconds since 1970.
        left: the contestant that was shown as A.
        right: the one that was shown as B.
        vote: what was chosen.
        rater: who chose.
    """

    time: float
    left: str
    right: str
    vote: Choice
    rater: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """Both contestants, by name."""
        return (self.left, self.right) if self.left < self.right else (self.right, self.left)

    @property
    def winner(self) -> str:
        """Whose answer was chosen; empty where neither was."""
        return {"A": self.left, "B": self.right}.get(self.vote, "")


@dataclass(frozen=True, slots=True)
class Ballot:
    """What is voted on: the answers of two contestants to a row, `left` shown as A."""

    source: int
    row: int
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes on two contestants.

    Attributes:
        a, b: the contestants.
        wins_a, wins_b, ties, both_bad: votes.
        share: that of `a`, see `DEFINITION`.
        interval: of the share.
        raters: how many people voted; several votes on one row do not know of each other, but are not apart.
    """

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int
    share: float
    interval: Interval
    raters: int

    @property
    def votes(self) -> int:
        """All of them."""
        return self.wins_a + self.wins_b + self.ties + self.both_bad

    @property
    def winner(self) -> str:
        """Whom the votes prefer; empty where they cannot tell yet."""
        low, high = self.interval
        return self.a if low > 0.5 else self.b if high < 0.5 else ""

    @property
    def verdict(self) -> str:
        """One line with its figures."""
        low, high = self.interval
        counts = (
            f"{self.a} {self.wins_a}, {self.b} {self.wins_b}, {self.ties} as good, {self.both_bad} both bad"
        )
        figures = f"{self.a} has {self.share:.0%} of the votes (95%: {low:.0%} to {high:.0%})"
        said = f"{self.winner} is better" if self.winner else "no winner yet"
        return f"{said}: {counts}; {figures}"


def ballots(keys: Iterable[tuple[int, int]], contestants: Sequence[str], seed: int) -> list[Ballot]:
    """Every two contestants on every row, in an order and with sides that only `seed` decides.

    A row's sides stay when rows are added.

    Args:
        keys: source and row of each row.
        contestants: at least two names.
        seed: of the draw.
    """
    drawn = []
    for source, row in keys:
        for pair in combinations(sorted(set(contestants)), 2):
            draw = random.Random(f"{seed}/{source}/{row}/{pair!r}")
            left, right = draw.sample(pair, 2)
            drawn.append((draw.random(), Ballot(source, row, left, right)))
    return [ballot for _, ballot in sorted(drawn, key=lambda item: item[0])]


def vote(path: Path, ballot: Ballot, choice: Choice, rater: str = "") -> Vote:
    """Write down a vote; a later one of the same rater on the same answers counts instead of it.

    Raises WorkbenchError: it cannot be written.
    """
    given = Vote(
        source=ballot.source,
        row=ballot.row,
        time=time.time(),
        left=ballot.left,
        right=ballot.right,
        vote=choice,
        rater=rater,
    )
    append(path, given)
    return given


def read_votes(path: Path) -> tuple[list[Vote], int]:
    """The votes that count, in the order in which they were given first, and how many lines are no votes.

    Raises WorkbenchError: unreadable.
    """
    lines, broken = read_log(path, Vote)
    return list({(each.key, each.pair, each.rater): each for each in lines}.values()), broken


def still_open(drawn: Iterable[Ballot], votes: Iterable[Vote], rater: str = "") -> list[Ballot]:
    """The ballots that a rater has not voted on, in their order."""
    done = {(each.key, each.pair) for each in votes if each.rater == rater}
    return [
        ballot
        for ballot in drawn
        if ((ballot.source, ballot.row), tuple(sorted((ballot.left, ballot.right)))) not in done
    ]


def tally(votes: Iterable[Vote]) -> list[Tally]:
    """The votes by pair of contestants, in the order of their names."""
    by_pair: dict[tuple[str, str], list[Vote]] = {}
    for each in votes:
        by_pair.setdefault(each.pair, []).append(each)
    return [_tallied(a, b, given) for (a, b), given in sorted(by_pair.items())]


def _tallied(a: str, b: str, votes: Sequence[Vote]) -> Tally:
    won = Counter(each.winner for each in votes)
    bad = sum(each.vote == "both bad" for each in votes)
    ties = sum(each.vote == "tie" for each in votes)
    half = won[a] + (ties + bad) / 2
    return Tally(
        a=a,
        b=b,
        wins_a=won[a],
        wins_b=won[b],
        ties=ties,
        both_bad=bad,
        share=half / len(votes),
        interval=wilson(half, len(votes)),
        raters=len({each.rater for each in votes}),
    )


def said_of(tallies: Sequence[Tally], broken: int) -> list[str]:
    """All verdicts, and what a reader of them has to know."""
    said = [each.verdict for each in tallies]
    if any(each.raters > 1 for each in tallies):
        said.append("several people voted: votes on one row go together, so the intervals are too narrow")
    return [*said, f"lines that are no votes, left out: {rows(broken)}"] if broken else said
