"""A learning rate that is too high, as far as the gradient norm shows it."""

import numpy as np

from workbench.runs.verdict.evidence import Evidence
from workbench.runs.verdict.finding import Finding
from workbench.runs.verdict.robust import SIGMA_OF_MAD, chance, excess, smoothed, window_of

LEAST_POINTS = 30
GROWTH = 4.0
"""The norm grows slowly in sound runs too, as a LoRA's B leaves zero; fourfold with a loss that rises is no
sound run."""

SPIKE = 10.0
"""Times the level around it. One rare batch makes a spike; three that the loss follows make a habit."""

LEAST_SPIKES = 3


def rate_too_high(found: Evidence) -> Finding | None:
    """The gradient norm grows fourfold while the loss rises, or it spikes and the loss goes up with it.

    The first tenth is left out: norms are high before the warm-up ends.
    """
    norms, loss = found.grad_norm.thin, found.loss.thin
    if len(norms) < LEAST_POINTS or len(loss) < LEAST_POINTS:
        return None
    skip = len(norms) // 10
    steps, values = norms.steps[skip:], norms.values[skip:]
    third = len(values) // 3
    early, late = float(np.median(values[:third])), float(np.median(values[-third:]))
    rate = _rate(found)
    after = loss.between(steps[-third], np.inf)
    if early > 0 and late >= GROWTH * early and len(after) >= 3:
        window = window_of(len(loss))
        up = float(np.median(after) - loss.smooth.min())
        if excess(up, loss.noise, len(after), window) > chance(len(loss) / window):
            what = f"learning rate too high{rate}: gradient norm {early:.3g} grows to {late:.3g}"
            return Finding("rate-too-high", f"{what} and the loss rises", "medians of first and last third")
    return _spikes(found, rate)


def _spikes(found: Evidence, rate: str) -> Finding | None:
    # Spikes are single points: the medians of a thinned curve have lost them
    norms, loss = found.grad_norm, found.loss
    most = 20_000
    steps, values = norms.steps[-most:], norms.values[-most:]
    skip = len(values) // 10
    level = smoothed(values, 21)
    high = np.flatnonzero((values > SPIKE * level) & (level > 0))
    high = high[high >= skip]
    if not len(high):
        return None
    apart = high[np.insert(np.diff(high) > 5, 0, True)]
    hurt = []
    for at in apart[:200]:
        start = int(np.searchsorted(loss.steps, steps[at]))
        before, after = loss.values[max(0, start - 10) : start], loss.values[start : start + 3]
        if len(before) >= 5 and len(after):
            scatter = float(np.median(np.abs(before - np.median(before)))) * SIGMA_OF_MAD
            if float(after.max()) > float(np.median(before)) + max(6 * scatter, 0.1):
                hurt.append(int(steps[at]))
    if len(hurt) < LEAST_SPIKES:
        return None
    what = f"learning rate too high{rate}: {len(hurt)} spikes of the gradient norm throw the loss up"
    what += f", the first at {found.at(hurt[0])}"
    return Finding("rate-too-high", what, "ten times the level around", hurt[0], found.epoch(hurt[0]))


def _rate(found: Evidence) -> str:
    return f" ({found.learning_rate.values.max():.2g} at its peak)" if len(found.learning_rate) else ""
