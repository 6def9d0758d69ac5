"""The verdict: every rule is asked, in the order of what matters most."""

from collections.abc import Callable

import numpy as np

from workbench.runs.series import Series
from workbench.runs.verdict import broken, gradient, periodic, scale, training, validation
from workbench.runs.verdict.evidence import Evidence, Facts, evidence
from workbench.runs.verdict.finding import Finding, Verdict

Rule = Callable[[Evidence], Finding | None]

RULES: tuple[Rule, ...] = (
    broken.not_finite,
    training.diverging,
    scale.not_divided,
    gradient.rate_too_high,
    validation.overfitting,
    broken.too_short,
    training.not_falling,
    periodic.periodic,
)
"""What is wrong, the worst first."""

OUTCOMES: tuple[Rule, ...] = (validation.absent, validation.converged, validation.other)
"""How far the run came: the first that applies, and none where the validation loss turned."""

ASIDES: tuple[Rule, ...] = (scale.worse_than_chance,)
"""What explains the curves and is no fault of the run."""

_TURNED = {"overfitting", "validation-rising", "too-short"}


def judge(series: Series, facts: Facts) -> Verdict:
    """What the curves of `series` show; a million points take under half a second."""
    # Ratios of figures near the ends of what floats hold may overflow: they meet no threshold then
    with np.errstate(all="ignore"):
        found = evidence(series, facts)
        findings = [finding for rule in RULES if (finding := rule(found)) is not None]
        if not _TURNED & {finding.name for finding in findings}:
            outcome = next((finding for rule in OUTCOMES if (finding := rule(found)) is not None), None)
            findings += [outcome] if outcome else []
        findings += [finding for rule in ASIDES if (finding := rule(found)) is not None]
    return Verdict(tuple(findings), facts.running)
