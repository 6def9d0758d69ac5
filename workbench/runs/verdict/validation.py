"""What the validation loss shows: overfitting, convergence, that more steps may help, or nothing."""

import math

import numpy as np

from workbench.runs.verdict.broken import LEAST_VALIDATIONS
from workbench.runs.verdict.evidence import Curve, Evidence
from workbench.runs.verdict.finding import Finding
from workbench.runs.verdict.robust import (
    FEW,
    NOISE_OF_FEW,
    beginning,
    chance,
    excess,
    flat_since,
    least_fall,
    rising,
    window_of,
)
from workbench.runs.verdict.training import trend

LEAST_RISE = 0.005
"""Nats, half a percent of perplexity: two seeds of one run differ by more. Less counts where it is a quarter
of all that the validation loss had fallen."""

UNBROKEN = 4
"""So many rises in a row, and none that falls: noise does that once in 120 times."""

DECAYED = 0.1
"""A learning rate under a tenth of its peak hardly moves weights: what is flat there may be the schedule."""


def overfitting(found: Evidence) -> Finding | None:
    """The validation loss has a minimum behind it, and the training loss does not rise along with it.

    Beyond the minimum it must lie 5 % of its fall and `LEAST_RISE` higher, further than the lowest of so many
    windows lies low by chance; or rise steadily (Mann-Kendall, three standard errors), or unbroken. Of fewer
    than `FEW` validations all after the minimum must rise: three of them, or two by a tenth of the fall.
    """
    curve = found.validation
    if len(curve) < LEAST_VALIDATIONS:
        return None
    curve = curve.thin
    at, rise = _minimum(curve)
    fall = max(0.0, beginning(curve.values) - float(curve.smooth[at]))
    least = max(0.05 * fall, min(LEAST_RISE, 0.25 * fall) if fall else LEAST_RISE)
    if len(curve) < FEW:
        least = max(least, NOISE_OF_FEW)
    if rise < least or not (_rises(curve, at, rise) if len(curve) >= FEW else _climbs(curve, at, rise, fall)):
        return None
    step = float(curve.steps[at])
    low, last = float(curve.smooth[at]), float(curve.smooth[at]) + rise
    figures = f"validation loss {low:.4g} there, {last:.4g} at the end"
    rule = f"minimum of {len(found.validation)} validations"
    if _training_rises(found, step, rise):
        what = f"the validation loss rises since {found.at(step)}, and the training loss too: {figures}"
        return Finding("validation-rising", what, rule, int(step), found.epoch(step))
    what = f"overfitting since {found.at(step)}: {figures}; {_best(found)}"
    return Finding("overfitting", what, rule, int(step), found.epoch(step))


def _minimum(curve: Curve) -> tuple[int, float]:
    """Where the smoothed curve is lowest, and how far its end lies above that."""
    at = int(curve.smooth.argmin())
    after = curve.values[at + 1 :]
    if not len(after):
        return at, 0.0
    tail = after[-max(min(3, len(after)), len(after) // 3) :] if len(curve) >= FEW else after[-1:]
    return at, float(np.median(tail) - curve.smooth[at])


def _rises(curve: Curve, at: int, rise: float) -> bool:
    after = curve.values[at + 1 :]
    if len(after) < 3:
        return False
    if len(after) >= UNBROKEN and bool((np.diff(curve.values[at:]) > 0).all()):
        return True
    window = window_of(len(curve))
    # What the noise is estimated from is noise itself: few points may have shown too little of it
    sigma = curve.noise * (1 + 2 / math.sqrt(len(curve)))
    beyond = excess(rise, sigma, max(3, len(after) // 3), window)
    steady = len(after) >= FEW and beyond > 3 and rising(after) > 3
    return steady or (beyond > chance(len(curve)) and rising(curve.values[at:]) > 0)


def _climbs(curve: Curve, at: int, rise: float, fall: float) -> bool:
    steps = np.diff(curve.values[at:])
    return bool((steps > 0).all()) and (len(steps) >= 3 or (len(steps) == 2 and rise >= 0.1 * fall))


def _training_rises(found: Evidence, since: float, rise: float) -> bool:
    """By half as much as the validation loss, and by more than its noise."""
    curve = found.loss.thin
    after = curve.values[np.searchsorted(curve.steps, since, side="right") :]
    if len(after) < 6:
        return False
    third = len(after) // 3
    up = float(np.median(after[-third:]) - np.median(after[:third]))
    return up > rise / 2 and excess(up, curve.noise, third, third) > 3


def _best(found: Evidence) -> str:
    """The checkpoint to take, by the lowest value that was measured."""
    step = int(found.validation.steps[found.validation.values.argmin()])
    kept = found.facts.checkpoints
    if step in kept:
        return f"best checkpoint: step {step}"
    if not kept:
        return f"lowest value at step {step}, no checkpoint"
    nearest = min(kept, key=lambda each: abs(each - step))
    return f"lowest value at step {step}, nearest checkpoint: step {nearest}"


def converged(found: Evidence) -> Finding | None:
    """The validation loss fell and is flat from some step on: see `robust.flat_since`.

    Told beside it: whether the learning rate had run out there, and whether training fell on alone.
    """
    curve = found.validation.thin
    if len(curve) < LEAST_VALIDATIONS:
        return None
    flat = flat_since(curve.values)
    if flat is None:
        return None
    step = float(curve.steps[flat])
    level = float(np.median(curve.values[flat:]))
    first = beginning(curve.values)
    what = f"converged at {found.at(step)}: validation loss {first:.4g} first, {level:.4g} since"
    rate = found.learning_rate
    if len(rate) and len(now := rate.between(step, np.inf)) and now[0] < DECAYED * rate.values.max():
        what += ", where the learning rate had run out"
    what += f"; {_best(found)}"
    if gain := _training_gain(found, step):
        what += f"; the training loss alone fell on, by {gain:.0%}: no gain and no harm on validation rows"
    return Finding("converged", what, "plateau of the validation loss", int(step), found.epoch(step))


def _training_gain(found: Evidence, since: float) -> float:
    """The share by which the training loss fell from `since` on, where it is a tenth and more than noise."""
    curve = found.loss.thin
    after = curve.values[np.searchsorted(curve.steps, since) :]
    third = len(after) // 3
    if third < 3:
        return 0.0
    first, last = float(np.median(after[:third])), float(np.median(after[-third:]))
    if first <= 0 or excess(first - last, curve.noise, third, third) < 3:
        return 0.0
    return (first - last) / first if first - last > 0.1 * first else 0.0


def other(found: Evidence) -> Finding | None:
    """Neither a minimum behind it nor a plateau: still falling, never fallen, or not to be told."""
    curve = found.validation.thin
    if len(curve) < LEAST_VALIDATIONS:
        return None
    first, last = beginning(curve.values), float(np.median(curve.values[-max(1, len(curve) // 8) :]))
    figures = f"validation loss {first:.4g} first, {last:.4g} last"
    sigma = curve.noise if len(curve) >= FEW else 0.0
    edge = max(1, len(curve) // 8)
    if first - last > least_fall(curve.values) and excess(first - last, sigma, edge, edge) > 3:
        recent = curve.values[-max(2, len(curve) // 3) :]
        if recent[-1] < recent[0] and (len(curve) < FEW or rising(curve.values) < -3):
            return Finding("improving", f"not converged yet: {figures}, still falling", "no plateau yet")
        return Finding("unclear", f"{figures}: fell, and no trend can be told at the end", "no plateau yet")
    return Finding("validation-flat", f"{figures}: no fall that can be told from noise", "first against last")


def absent(found: Evidence) -> Finding | None:
    """Training loss falls whether or not anything is learnt that holds for other rows."""
    if len(found.validation) >= LEAST_VALIDATIONS:
        return None
    seen_ones = len(found.validation)
    few = f"{seen_ones} validation{'s' if seen_ones > 1 else ''} only" if seen_ones else "no validation set"
    seen = trend(found)
    what = f"{few}: convergence cannot be judged{f'; {seen}' if seen else ''}"
    return Finding("no-validation", what, "wants 3 validations" if len(found.validation) else "")
