"""Statistics that a few wild points do not move: levels, noise, smoothing, trends. All inputs are finite."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workbench.runs.series import Floats

SIGMA_OF_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

MEDIAN_COST = 1.2533
"""Standard error of a median over that of a mean, for normal noise: sqrt(pi / 2)."""

FEW = 8
"""Below so many points noise cannot be told from the curve."""

NOISE_OF_FEW = 0.02
"""Nats, 2 % of perplexity: what a few validations on some hundred rows scatter by."""

MOST_POINTS = 2000
"""Trends are read from at most so many points, medians of blocks: more show nothing more and cost time."""


def thinned(steps: Floats, values: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """At most `most` points: medians of the values, and last steps, of blocks of one length."""
    size = -(-len(values) // most)
    if size <= 1:
        return steps, values
    whole = len(values) // size
    x = steps[size - 1 : whole * size : size]
    y = np.median(values[: whole * size].reshape(whole, size), axis=1)
    if whole * size < len(values):
        x, y = np.append(x, steps[-1]), np.append(y, np.median(values[whole * size :]))
    return x, y


def smoothed(values: Floats, window: int) -> Floats:
    """Running median of an odd `window`, mirrored at both ends."""
    if window <= 1:
        return values
    padded = np.pad(values, window // 2, mode="symmetric")
    return np.asarray(np.median(sliding_window_view(padded, window), axis=1))


def window_of(points: int) -> int:
    """An odd tenth of the points: long enough to quiet noise, short enough to find a minimum to a tenth."""
    return points // 10 | 1 if points >= 20 else 1


def noise(values: Floats) -> float:
    """Standard deviation of what changes from point to point; a straight trend does not count.

    From first and second differences, whose variances are two and six times that of independent noise: a
    curve that bends makes one of them larger.
    """
    if len(values) < 4:
        return 0.0
    return min(_scatter(np.diff(values)) / math.sqrt(2), _scatter(np.diff(values, 2)) / math.sqrt(6))


def _scatter(values: Floats) -> float:
    return float(SIGMA_OF_MAD * np.median(np.abs(values - np.median(values))))


def excess(rise: float, sigma: float, first: int, second: int) -> float:
    """By how many standard errors two medians, of `first` and `second` points, differ; inf without noise."""
    if sigma <= 0:
        return math.inf if rise > 0 else -math.inf if rise < 0 else 0.0
    return rise / (MEDIAN_COST * sigma * math.sqrt(1 / first + 1 / second))


def chance(windows: float) -> float:
    """Standard errors that the lowest of so many windows lies below the mean by chance alone, plus three.

    The expected extreme of N normal values is about sqrt(2 ln N); three more make a false alarm rarer than
    one run in a thousand.
    """
    return 3.0 + math.sqrt(2 * math.log(max(windows, 1.0)))


def rising(values: Floats) -> float:
    """Mann-Kendall trend in standard errors: above 0 where later values are higher; of 200 points at most."""
    _, y = thinned(np.arange(len(values), dtype=float), values, 200)
    n = len(y)
    if n < 3:
        return 0.0
    score = float(np.sign(y[None, :] - y[:, None])[np.triu_indices(n, 1)].sum())
    return (score - math.copysign(1, score)) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18) if score else 0.0


def clipped_mean(values: Floats) -> tuple[float, float]:
    """Mean, with wild points pulled in to six standard deviations of the rest, and its standard error.

    The error counts points that go together, as batches of one kind do, by comparing the means of blocks.
    """
    center = float(np.median(values))
    sigma = SIGMA_OF_MAD * float(np.median(np.abs(values - center)))
    y = np.clip(values, center - 6 * sigma, center + 6 * sigma) if sigma > 0 else values
    error = float(y.std(ddof=1)) / math.sqrt(len(y)) if len(y) > 1 else 0.0
    if len(y) >= 32:
        blocks = np.array([block.mean() for block in np.array_split(y, 8)])
        error = max(error, float(blocks.std(ddof=1)) / math.sqrt(8))
    return float(y.mean()), error


def flat_since(values: Floats, least_share: float = 0.25, least_points: int = 3) -> int | None:
    """The index from which on the values no longer fall; None where they fall to the end, or never fell.

    Flat is what stays within 3 % of the whole fall (or the noise) of the last quarter's level, for at least
    `least_share` of the points; and what falls by less than 5 % of it, and by less than a fifth of where it
    stands, from its first to its last third (or by less than two standard errors, without a steady trend),
    where the noise leaves no more than 20 % open. Nor may it have been lower by more than 20 %: that turned.
    A straight line never is flat: it comes within 3 % of its last quarter's level after 85 % of the points.
    """
    n = len(values)
    window = window_of(n)
    y = smoothed(values, window)
    sigma = noise(values) if n >= FEW else 0.0
    error = MEDIAN_COST * sigma / math.sqrt(window)
    last = float(np.median(values[-max(1, n // 4) :]))
    fall = beginning(values) - last
    if fall <= max(3 * error, least_fall(values)) or last - y.min() > max(0.2 * fall, 3 * error):
        return None
    inside = np.flatnonzero(y <= last + max(0.03 * fall, 2 * error))
    start = int(inside[0])
    rest = values[start:]
    if len(rest) < max(least_points, least_share * n):
        return None
    third = max(1, len(rest) // 3)
    still = float(np.median(rest[:third]) - np.median(rest[-third:]))
    doubt = MEDIAN_COST * sigma * math.sqrt(2 / third)
    # A loss that decays by factors has most of its fall behind it long before it is flat
    share = still / abs(level) if (level := float(np.median(rest[:third]))) else 0.0
    falls = (still > 0.05 * fall or share > 0.2) and (still > 2 * doubt or rising(rest) < -2)
    return None if falls or still + doubt > 0.2 * fall else start


def least_fall(values: Floats) -> float:
    """What counts as a fall at all: 1 % of the first value, as two seeds of one run differ by as much.

    Of fewer than `FEW` values, whose noise nobody can tell, at least `NOISE_OF_FEW`.
    """
    least = 0.01 * abs(beginning(values))
    return max(least, NOISE_OF_FEW) if len(values) < FEW else least


def beginning(values: Floats) -> float:
    """Where the values begin: the median of the first, at most five, points of a longer curve."""
    n = len(values)
    return float(np.median(values[: min(5, max(1, n // 8))]))
