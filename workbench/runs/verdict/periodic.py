"""Dips that come again at one distance: the order of the batches makes them, not learning or overfitting."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.runs.series import Floats
from workbench.runs.verdict.evidence import Evidence
from workbench.runs.verdict.finding import Finding
from workbench.runs.verdict.robust import SIGMA_OF_MAD

Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

LEAST_POINTS = 40
LEAST_CYCLES = 5
"""A dip that comes five times at one distance; fewer are too easily chance."""

SHORTEST = 3
"""Points: two alternate, which the seam of two data loaders or an even number of workers does as well."""

MOST_POINTS = 32768
"""The middle of a longer curve: six hundred periods of 50, and still a hundredth of a second."""

CLIP = 8.0
"""Standard deviations: deep dips keep their weight, and a single wild point none that matters."""

LEAST_CORRELATION = 0.1
FALSE_ALARM = 1e-6
"""Chance that noise alone makes any phase of any period that was tried look like a dip."""

GROUPED_BY_LENGTH = 50
"""transformers' `group_by_length` sorts pieces of 50 batches by length (`mega_batch_mult`)."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A period in points of the curve, and which of its phases dip."""

    period: int
    dips: Places
    phase: Places


def periodic(found: Evidence) -> Finding | None:
    """The loss dips every P steps.

    Autocorrelation, at P and again at 2P and 3P, names the period; the curve is then folded by it, and a
    phase dips where its mean lies below the rest by more than noise does in any of the phases of all periods
    tried, with a chance of 1e-6. Four fifths of those points must lie below the trend, so that a few wild
    points are no pattern.
    """
    grid = _grid(found)
    if grid is None:
        return None
    spacing, values, known = grid
    rest = _detrended(values, known)
    if rest is None or (period := _period(rest)) is None:
        return None
    cycle = _folded(rest, known, period)
    if cycle is None:
        return None
    inside = np.isin(cycle.phase, cycle.dips) & known
    outside = known & ~inside
    depth = float(np.median(values[outside]) - np.median(values[inside]))
    steps = round(period * spacing)
    first, _, last = np.array_split(values[outside], 3)
    count = max(1, round(len(cycle.dips) * spacing))
    what = (
        f"the loss dips every {steps} steps, by {depth:.3g} for {count} of them: {_cause(found, steps)}; "
        f"between the dips {np.median(first):.3f} in the first third, {np.median(last):.3f} in the last"
    )
    return Finding("periodic", what, f"autocorrelation, folded {len(values) // period} times")


def _grid(found: Evidence) -> tuple[float, Floats, Flags] | None:
    """Spacing in steps, values at even spacing (0 where none was logged), and which are known."""
    steps, values = found.loss.steps, found.loss.values
    if len(values) > MOST_POINTS:
        start = (len(values) - MOST_POINTS) // 2
        steps, values = steps[start : start + MOST_POINTS], values[start : start + MOST_POINTS]
    if len(values) < LEAST_POINTS:
        return None
    spacing = float(np.median(np.diff(steps)))
    # Counted from the end: a first step that is logged out of turn must not shift the others
    places = np.rint((steps - steps[-1]) / spacing).astype(np.int64)
    even = np.abs((steps - steps[-1]) / spacing - places) < 0.25
    places, values = places[even], values[even]
    length = int(places[-1] - places[0]) + 1
    if even.mean() < 0.9 or len(places) < 0.7 * length or (np.diff(places) < 1).any():
        return None
    grid, known = np.zeros(length), np.zeros(length, dtype=bool)
    grid[places - places[0]], known[places - places[0]] = values, True
    return spacing, grid, known


def _detrended(values: Floats, known: Flags) -> Floats | None:
    """Distance from the trend in robust standard deviations, `CLIP` at most."""
    places = np.flatnonzero(known)
    blocks = np.array_split(places, min(32, max(2, len(places) // 20)))
    centers = [float(np.median(block)) for block in blocks]
    rest = values - np.interp(np.arange(len(values)), centers, [np.median(values[block]) for block in blocks])
    seen = rest[known]
    sigma = SIGMA_OF_MAD * float(np.median(np.abs(seen - np.median(seen)))) or float(seen.std())
    if sigma <= 1e-9 * max(1e-9, float(np.abs(values[known]).max())):
        return None
    rest = np.clip(rest / sigma, -CLIP, CLIP)
    rest[~known] = 0
    return np.where(known, rest - rest[known].mean(), 0.0)


def _period(rest: Floats) -> int | None:
    """The shortest lag at which the curve repeats itself, and does so again at twice and three times it."""
    n = len(rest)
    spectrum = np.fft.rfft(rest, 2 * n)
    lags = np.arange(n)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n)[:n] / (n - lags)
    correlation = correlation / correlation[0]
    longest = n // LEAST_CYCLES
    found = []
    lowest = np.minimum.accumulate(correlation)
    for lag in range(SHORTEST, longest + 1):
        height = correlation[lag]
        least = max(LEAST_CORRELATION, 4 / math.sqrt(n - lag))
        if height < least or height < correlation[lag - 1] or height < correlation[lag + 1]:
            continue
        # Between two dips the curve must forget them; a slow drift does not
        again = min(correlation[2 * lag], correlation[3 * lag])
        if lowest[lag] < 0.5 * height and again > 0.5 * height:
            found.append(lag)
    if not found:
        return None
    highest = max(correlation[lag] for lag in found)
    return next(lag for lag in found if correlation[lag] >= 0.8 * highest)


def _folded(rest: Floats, known: Flags, period: int) -> Cycle | None:
    """The phases that dip; None where none does, or more than half of them."""
    phase = np.arange(len(rest)) % period
    counts = np.bincount(phase[known], minlength=period)
    if counts.min() < LEAST_CYCLES - 2:
        return None
    means = np.bincount(phase[known], rest[known], minlength=period) / counts
    within = rest[known] - means[phase[known]]
    # Dips that are all alike leave no scatter of their own
    sigma = max(float(within.std()), 0.1)
    tried = period * len(rest) / LEAST_CYCLES
    limit = math.sqrt(2 * math.log(tried / FALSE_ALARM)) * sigma / np.sqrt(counts)
    depth = means - np.median(means)
    if not (depth < -limit).any():
        return None
    dips = np.flatnonzero(depth < depth.min() / 2)
    if len(dips) > period / 2:
        return None
    inside = np.isin(phase, dips) & known
    return Cycle(period, dips, phase) if np.mean(rest[inside] < 0) >= 0.8 else None


def _cause(found: Evidence, steps: int) -> str:
    each = found.facts.epochs_per_step
    if each and abs(steps * each - 1) < 0.02:
        return "once an epoch, so the same rows or a short last batch"
    if steps == GROUPED_BY_LENGTH:
        return "batches ordered by length (group_by_length has this period), neither learning nor overfitting"
    return "an order of the batches, such as by length, neither learning nor overfitting"
