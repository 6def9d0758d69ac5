"""How well a model predicts the answers: perplexity by row, and the two means that go by that name."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

COURSE = (
    "course mean: a row's perplexity is exp(mean negative log-likelihood of its scored tokens); the figure "
    "is the arithmetic mean over rows, as in ppl.py of NTU ADL HW3. One bad row can move it far"
)
TOKEN_WEIGHTED = (
    "token-weighted: exp(sum of the negative log-likelihoods of all scored tokens / their number). Long "
    "answers count more, and one bad row counts less"
)
SCORED = {
    "separate": (
        "scored as in ppl.py of NTU ADL HW3: prompt and answer are tokenized apart, <bos> + prompt + answer "
        "+ <eos>; answer and <eos> count"
    ),
    "training": "scored as trained: the project's template and mask, written as for training",
}
"""Which tokens count, by `evaluation.perplexity`; figures of the one are no figures of the other."""
NOTHING_SCORED = "no token of the answer is left to score"


@dataclass(frozen=True, slots=True)
class RowLoss:
    """What a model said to one row.

    Attributes:
        row: its number in the set that is scored, from 0.
        nll: sum of the negative natural log-likelihoods of its scored tokens.
        tokens: how many tokens are scored.
        why: why none is scored, such as an answer cut off whole; empty where some are.
    """

    row: int
    nll: float
    tokens: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class RowPerplexity:
    """exp(nll / tokens) of one row; NaN or inf where the model's own figures are."""

    row: int
    perplexity: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Perplexity:
    """The perplexity of a set of rows.

    Attributes:
        course: arithmetic mean of the rows' perplexities, see `COURSE`; None where no row is scored.
        token_weighted: see `TOKEN_WEIGHTED`; None where no row is scored.
        rows: the scored rows in their order.
        tokens: scored tokens of all of them.
        unscored: rows without a scored token, in no mean, by reason.
    """

    course: float | None
    token_weighted: float | None
    rows: tuple[RowPerplexity, ...]
    tokens: int
    unscored: dict[str, int]


def perplexity_of(nll: float, tokens: int) -> float:
    """exp(nll / tokens) of at least one token; infinite where that is too large to be told."""
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return math.inf


def perplexity(losses: Iterable[RowLoss]) -> Perplexity:
    """Both means over rows; a row without a scored token is 0/0 and counted apart, never NaN."""
    scored: list[RowLoss] = []
    unscored: list[RowLoss] = []
    for loss in losses:
        (scored if loss.tokens > 0 else unscored).append(loss)
    each = tuple(
        RowPerplexity(loss.row, perplexity_of(loss.nll, loss.tokens), loss.tokens) for loss in scored
    )
    tokens = sum(loss.tokens for loss in scored)
    return Perplexity(
        course=_sum(row.perplexity for row in each) / len(each) if each else None,
        token_weighted=perplexity_of(_sum(loss.nll for loss in scored), tokens) if tokens else None,
        rows=each,
        tokens=tokens,
        unscored=dict(Counter(loss.why or NOTHING_SCORED for loss in unscored)),
    )


def _sum(values: Iterable[float]) -> float:
    """As `math.fsum`, exact to the last bit; but infinite where that would raise."""
    values = list(values)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return sum(values)
