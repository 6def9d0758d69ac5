"""What the training loss alone shows: that it diverges, or that it does not fall."""

import math

import numpy as np

from workbench.runs.verdict.broken import LEAST_POINTS
from workbench.runs.verdict.evidence import Curve, Evidence
from workbench.runs.verdict.finding import Finding
from workbench.runs.verdict.robust import beginning, chance, clipped_mean, excess, flat_since, window_of

LEAST_RISE = 0.2
"""Nats: perplexity a fifth up. Data that come in another order rarely move the loss by more."""

LEAST_FALL = 0.01
"""A loss that falls by less than 1 % between its halves does not fall for any purpose."""

MOST_DOUBT = 0.05
"""Nothing is said where the noise leaves room for a fall of 5 % all the same."""


def diverging(found: Evidence) -> Finding | None:
    """The last tenth of the training loss lies above its lowest level, and stays there.

    By 0.2 nats and by half of what had been won, and by more than chance makes of the lowest of so many
    windows; four fifths of the last points must lie in the upper half of the rise.
    """
    curve = found.loss.thin
    n = len(curve)
    if n < 8:
        return None
    tail = curve.values[-max(3, n // 10) :]
    before = curve.smooth[: n - len(tail)]
    at = int(before.argmin())
    low, level = float(before[at]), float(np.median(tail))
    rise, won = level - low, max(0.0, beginning(curve.values) - low)
    window = window_of(n)
    if rise < max(LEAST_RISE, won / 2) or np.mean(tail > low + rise / 2) < 0.8:
        return None
    if excess(rise, curve.noise, len(tail), window) < chance(n / window):
        return None
    step = float(curve.steps[at])
    what = f"diverging since {found.at(step)}: training loss {low:.4g} there, {level:.4g} at the end"
    return Finding("diverging", what, "last tenth above the lowest level", int(step), found.epoch(step))


def not_falling(found: Evidence) -> Finding | None:
    """The second half of the training loss has no lower mean than the first, nor was the start higher.

    Said when the mean falls by less than 1 %, and two standard errors leave less than 5 % open. A loss that
    fell at once and is flat from then on is another matter.
    """
    curve = found.loss.thin
    n = len(curve)
    if n < LEAST_POINTS:
        return None
    first, second, error = halves(curve)
    fall = first - second
    scale = abs(first)
    start = curve.values[: max(5, n // 10)]
    early = float(np.median(start)) - float(np.median(curve.values[len(start) :]))
    if fall >= LEAST_FALL * scale or fall + 2 * error >= MOST_DOUBT * scale:
        return None
    if early > MOST_DOUBT * scale and excess(early, curve.noise, len(start), n - len(start)) > 3:
        return None
    if flat_since(curve.values) is not None:
        return None
    what = f"the training loss does not fall: first half {first:.3f}, second half {second:.3f}"
    return Finding("not-falling", what, "means of the halves")


def halves(curve: Curve) -> tuple[float, float, float]:
    """Mean of the first half, of the second, and the standard error of their difference."""
    half = len(curve) // 2
    (first, one), (second, two) = clipped_mean(curve.values[:half]), clipped_mean(curve.values[half:])
    return first, second, math.hypot(one, two)


def trend(found: Evidence) -> str:
    """What the training loss does, in a few words, where nothing is wrong with it."""
    curve = found.loss.thin
    if len(curve) < LEAST_POINTS:
        return f"training loss {curve.values[0]:.4g} first, {curve.values[-1]:.4g} last" if len(curve) else ""
    first, second, error = halves(curve)
    told = f"training loss {first:.3f} in the first half, {second:.3f} in the second"
    flat = flat_since(curve.values, least_points=10)
    if flat is not None:
        return f"{told}, flat since {found.at(float(curve.steps[flat]))}"
    return f"{told}, falling" if first - second > max(2 * error, LEAST_FALL * abs(first)) else told
