"""Curves of every kind, as a run would have logged them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.runs.series import Series
from workbench.runs.verdict.evidence import Facts
from workbench.runs.verdict.finding import Finding, Verdict
from workbench.runs.verdict.judge import judge

Floats = NDArray[np.float64]


def noise(points: int, deviation: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, deviation, points)


def falling(points: int = 1000, deviation: float = 0.05, seed: int = 0) -> Floats:
    """From 3 to 1, flat in its second half."""
    return 1 + 2 * np.exp(-8 * np.linspace(0, 1, points)) + noise(points, deviation, seed)


def series(
    loss: ArrayLike,
    validation: Sequence[float] | Floats = (),
    *,
    every: int = 1,
    resumed_after: int | None = None,
    **metrics: Floats,
) -> Series:
    """A loss at each `every` steps, validations spread evenly, metrics of step events beside it."""
    losses = np.asarray(loss, dtype=float)
    events: list[dict[str, Any]] = []
    for index, value in enumerate(losses):
        if resumed_after == index:
            events.append({"kind": "started", "resumed_from": index * every})
        more = {name: float(values[index]) for name, values in metrics.items()}
        events.append({"kind": "step", "step": (index + 1) * every, "loss": float(value), **more})
    apart = max(1, len(losses) // max(1, len(validation))) * every
    for index, value in enumerate(validation):
        step = (index + 1) * apart
        events.append({"kind": "evaluated", "step": step, "validation_loss": float(value)})
    made = Series()
    made.feed(events)
    return made


def verdict(*args: Any, facts: Facts | None = None, **more: Any) -> Verdict:
    """The verdict on `series(...)`."""
    return judge(series(*args, **more), facts or Facts())


def named(judged: Verdict, name: str) -> Finding:
    """The finding of one rule."""
    found = [finding for finding in judged.findings if finding.name == name]
    assert len(found) == 1, judged.findings
    return found[0]


def names(judged: Verdict) -> list[str]:
    return [finding.name for finding in judged.findings]
