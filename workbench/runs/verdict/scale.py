"""A loss that is too large by a factor: summed over the micro-batches of a step and never divided."""

import math

import numpy as np

from workbench.runs.verdict.broken import LEAST_VALIDATIONS
from workbench.runs.verdict.evidence import Evidence
from workbench.runs.verdict.finding import Finding
from workbench.runs.verdict.robust import beginning

LARGEST_VOCABULARY = 262_144
"""Of Gemma 3, the largest in common use: stands for one that is not known."""

ABOVE_UNIFORM = 1.5
"""A model that knows nothing has a loss of ln(vocabulary); half as much again is no model's loss."""

USUAL = (4, 8, 16, 32, 64, 128)
"""Accumulations that stand for one that is not known; 2 is left out, as other rows can be twice as hard."""

TOLERANCE = 0.15
"""How near a ratio must be to the accumulation: dropout and other rows move it by some percent."""


def not_divided(found: Evidence) -> Finding | None:
    """The training loss is a multiple of the validation loss, starts far above ln(vocabulary), or jumps.

    The multiple is the gradient accumulation; where that is not known, a power of two of at least 4.
    """
    return _above_validation(found) or _above_uniform(found) or _jump(found)


def worse_than_chance(found: Evidence) -> Finding | None:
    """The loss starts far above ln(vocabulary), and the validation loss says that it is no sum."""
    above = _start_above_uniform(found)
    if above is None or not _near_validation(found):
        return None
    first, told = above
    what = f"the loss starts at {first:.4g}, above {told}: the base model expected another language or format"
    return Finding("worse-than-chance", what, "a model that knows nothing has ln(vocabulary)")


def _above_uniform(found: Evidence) -> Finding | None:
    above = _start_above_uniform(found)
    if above is None or _near_validation(found):
        return None
    first, told = above
    what = f"the loss starts at {first:.4g}, above {told}"
    if (times := found.facts.accumulation) and times > 1:
        what += f": not divided by the accumulation? {first:.4g} / {times} = {first / times:.3g}"
    else:
        what += ": a sum that was not divided, by the gradient accumulation perhaps"
    return Finding("not-divided", what, "a model that knows nothing has ln(vocabulary)")


def _start_above_uniform(found: Evidence) -> tuple[float, str] | None:
    """Where the loss starts, and ln(vocabulary) in words; None where it does not start far above."""
    if len(found.loss) < 3:
        return None
    first = beginning(found.loss.values)
    uniform = math.log(found.facts.vocabulary or LARGEST_VOCABULARY)
    if first <= ABOVE_UNIFORM * uniform:
        return None
    known = "" if found.facts.vocabulary else " of the largest models"
    return first, f"ln(vocabulary) = {uniform:.3g}{known}"


def _near_validation(found: Evidence) -> bool:
    """Training and validation loss are of one size, so that neither is a sum of the other's."""
    validation, loss = found.validation.thin, found.loss.thin
    if not len(validation) or not len(loss):
        return False
    near = np.interp(validation.steps, loss.steps, loss.values)
    return bool(np.median(near / validation.values) < min(USUAL) / 2)


def _above_validation(found: Evidence) -> Finding | None:
    validation, loss = found.validation.thin, found.loss.thin
    if len(validation) < LEAST_VALIDATIONS or len(loss) < LEAST_VALIDATIONS:
        return None
    ratios = []
    for step, value in zip(validation.steps[:10], validation.values[:10], strict=True):
        at = int(np.searchsorted(loss.steps, step))
        near = loss.values[max(0, at - 5) : at + 5]
        if len(near) and value > 0:
            ratios.append(float(np.median(near)) / value)
    if len(ratios) < LEAST_VALIDATIONS:
        return None
    ratio = float(np.median(ratios))
    steady = np.mean(np.abs(np.array(ratios) / ratio - 1) < TOLERANCE) > 0.5 if ratio > 0 else False
    times = _multiple(ratio, found)
    if times is None or not steady:
        return None
    what = f"the training loss is {ratio:.3g} times the validation loss from the start"
    return Finding("not-divided", f"{what}: {_summed(found, times)}", "ratio at the first validations")


def _jump(found: Evidence) -> Finding | None:
    curve = found.loss
    for seam in found.seams:
        at = int(np.searchsorted(curve.steps, seam, side="right"))
        before, after = curve.values[max(0, at - 10) : at], curve.values[at : at + 10]
        if min(len(before), len(after)) < 5 or min(np.median(before), np.median(after)) <= 0:
            continue
        ratio = float(np.median(after) / np.median(before))
        times = _multiple(max(ratio, 1 / ratio), found)
        if times is not None:
            way, factor = ("up", ratio) if ratio > 1 else ("down", 1 / ratio)
            what = f"the loss jumps {way} by a factor of {factor:.3g} where the run was resumed, "
            what += f"{found.at(seam)}: {_summed(found, times)}"
            return Finding("not-divided", what, "ten points before and after", seam, found.epoch(seam))
    return None


def _multiple(ratio: float, found: Evidence) -> int | None:
    """The accumulation that `ratio` is near to."""
    known = found.facts.accumulation
    candidates = USUAL if known is None else (known,)
    return next((each for each in candidates if each > 1 and abs(ratio / each - 1) < TOLERANCE), None)


def _summed(found: Evidence, times: int) -> str:
    if found.facts.accumulation:
        return f"summed over {times} micro-batches, not divided by gradient_accumulation_steps"
    return f"as if summed over {times} micro-batches and not divided"
