"""Runs whose numbers say nothing, or nothing yet."""

from workbench.runs.verdict.evidence import Evidence
from workbench.runs.verdict.finding import Finding

LEAST_POINTS = 20
"""Two halves of ten points: fewer have a mean that one batch moves by a tenth of its own deviation."""

LEAST_VALIDATIONS = 3
"""Two validations are a difference, three are the least that can turn."""


def not_finite(found: Evidence) -> Finding | None:
    """A loss that is NaN or infinite, wherever it was recorded: weights after it are worthless or suspect."""
    if not len(found.broken):
        return None
    first = float(found.broken[0])
    ends = [float(curve.steps[-1]) for curve in (found.loss, found.validation) if len(curve)]
    last = max(ends, default=-1.0)
    if last < first:
        what = f"the loss is not a finite number from {found.at(first)} on"
    else:
        count = len(found.broken)
        points = "1 recorded loss is" if count == 1 else f"{count} recorded losses are"
        what = f"{points} not a finite number, the first at {found.at(first)}"
    return Finding("not-finite", what, "NaN or infinity in the log", int(first), found.epoch(first))


def too_short(found: Evidence) -> Finding | None:
    """Fewer than `LEAST_POINTS` losses and fewer than `LEAST_VALIDATIONS` validations."""
    points, validations = len(found.loss), len(found.validation)
    if points >= LEAST_POINTS or validations >= LEAST_VALIDATIONS:
        return None
    what = f"too short to judge: {points} training losses and {validations} validations recorded"
    return Finding("too-short", what, f"wants {LEAST_POINTS} or {LEAST_VALIDATIONS}")
