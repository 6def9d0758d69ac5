"""Two contestants on the same rows: who is better on how many of them, and by how much."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from workbench.evaluation.intervals import Interval
from workbench.prompts.survey.checks.seen import rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFINITION = (
    "rows that both were measured on. Win: the better figure of a row, tie: equal figures. Sign test: how "
    "likely so uneven a count of wins and losses is when both are equally good, ties left out, two-sided, "
    "exact. Difference: mean over rows of the first one's figure minus the second one's; its interval: "
    "2.5 to 97.5 per cent of the means of 10,000 samples of the rows with replacement (percentile "
    "bootstrap, fixed seed)"
)
DRAWS = 10_000
LEVEL = 0.05
FEWEST_ROWS = 10
"""Below this the bootstrap of so few rows says little."""
_AT_ONCE = 2_000_000
"""Drawn row numbers that are held in memory."""
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Paired:
    """One contestant against another.

    Attributes:
        rows: compared rows.
        wins, losses, ties: rows on which the first is better, worse, equal.
        sign_p: of the sign test, see `DEFINITION`; 1 where there are ties only.
        difference: mean of first minus second, in the figure's unit; None where no row is compared.
        interval: of the difference, 95 per cent; None where no row is compared.
        unpaired: rows that only one of them was measured on.
        not_finite: rows left out because a figure is no number or infinite.
        lower_is_better: as it was asked for.
    """

    rows: int
    wins: int
    losses: int
    ties: int
    sign_p: float
    difference: float | None
    interval: Interval | None
    unpaired: int
    not_finite: int
    lower_is_better: bool

    @property
    def better(self) -> bool | None:
        """The first is better (True) or worse (False) by interval and sign test; None: they cannot tell."""
        if self.interval is None or self.sign_p >= LEVEL or self.interval[0] <= 0 <= self.interval[1]:
            return None
        by_mean = (self.interval[1] < 0) == self.lower_is_better
        return by_mean if by_mean == (self.wins > self.losses) else None

    @property
    def remarks(self) -> list[str]:
        """What a reader of the figures has to know, in sentences."""
        said = []
        if self.unpaired:
            said.append(f"measured for one of both only, left out: {rows(self.unpaired)}")
        if self.not_finite:
            said.append(f"without a finite figure, left out: {rows(self.not_finite)}")
        if 0 < self.rows < FEWEST_ROWS:
            said.append(f"only {rows(self.rows)}: the interval says little")
        return said


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over repeats: `sd` is the sample's standard deviation (n - 1), None for a single one."""

    mean: float
    sd: float | None
    repeats: int

    def __str__(self) -> str:
        return f"{self.mean:.4g}" if self.sd is None else f"{self.mean:.4g} ± {self.sd:.2g}"


def paired(
    first: Mapping[_Key, float], second: Mapping[_Key, float], *, lower_is_better: bool, seed: int = 0
) -> Paired:
    """Compare figures row by row.

    Args:
        first, second: row to figure, such as its perplexity.
        lower_is_better: whether a lower figure wins.
        seed: of the bootstrap.
    """
    import numpy as np

    shared = [key for key in first if key in second]
    a = np.array([first[key] for key in shared], np.float64)
    b = np.array([second[key] for key in shared], np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    differences = (a - b)[finite]
    lower, higher = int((differences < 0).sum()), int((differences > 0).sum())
    wins, losses = (lower, higher) if lower_is_better else (higher, lower)
    return Paired(
        rows=len(differences),
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
        sign_p=sign_test(wins, losses),
        difference=float(differences.mean()) if len(differences) else None,
        interval=_bootstrap(differences, seed) if len(differences) else None,
        unpaired=len(first) + len(second) - 2 * len(shared),
        not_finite=int((~finite).sum()),
        lower_is_better=lower_is_better,
    )


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p of a fair coin; 1 without a win or loss."""
    n, few = wins + losses, min(wins, losses)
    if not n:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in range(few + 1)]
    return min(1.0, 2 * math.fsum(math.exp(log - n * math.log(2)) for log in logs))


def spread(figures: Sequence[float]) -> Spread:
    """Mean and standard deviation over at least one repeat."""
    mean = sum(figures) / len(figures)
    if len(figures) < 2:
        return Spread(mean, None, len(figures))
    variance = sum((figure - mean) ** 2 for figure in figures) / (len(figures) - 1)
    return Spread(mean, math.sqrt(variance), len(figures))


def _bootstrap(values: "NDArray[np.float64]", seed: int) -> Interval:
    """2.5 and 97.5 per cent of the means of samples with replacement."""
    import numpy as np

    generator = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    step = max(1, _AT_ONCE // len(values))
    for start in range(0, DRAWS, step):
        size = min(step, DRAWS - start)
        drawn = generator.integers(0, len(values), (size, len(values)))
        means[start : start + size] = values[drawn].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
