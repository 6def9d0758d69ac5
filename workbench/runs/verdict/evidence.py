"""What a verdict is made from: the finite points of the curves, and what is known of the run beside them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from workbench.runs.series import Floats, Series
from workbench.runs.verdict.robust import noise, smoothed, thinned, window_of

LARGEST = float(np.finfo(np.float32).max)
"""What lies above it has overflowed wherever it was computed: as good as infinite."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the curves themselves do not say; None where nobody knows.

    Attributes:
        epochs_per_step: how much of an epoch one optimizer step is.
        accumulation: micro-batches of one optimizer step.
        vocabulary: tokens that the base model tells apart.
        checkpoints: steps with a complete checkpoint.
        total_steps: steps the run is meant to take; 0 when unknown.
        running: the run goes on.
    """

    epochs_per_step: float | None = None
    accumulation: int | None = None
    vocabulary: int | None = None
    checkpoints: tuple[int, ...] = ()
    total_steps: int = 0
    running: bool = False


@dataclass(frozen=True)
class Curve:
    """Steps, rising, and finite values, of one length."""

    steps: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def thin(self) -> "Curve":
        """The same in at most `robust.MOST_POINTS` points."""
        return Curve(*thinned(self.steps, self.values))

    @cached_property
    def smooth(self) -> Floats:
        """Running median of the values over a tenth of them."""
        return smoothed(self.values, window_of(len(self)))

    @cached_property
    def noise(self) -> float:
        """Standard deviation from point to point."""
        return noise(self.values)

    def between(self, first: float, last: float) -> Floats:
        """Values at steps from `first` up to and with `last`."""
        start, end = np.searchsorted(self.steps, (first, np.nextafter(last, np.inf)))
        return self.values[start:end]


@dataclass(frozen=True)
class Evidence:
    """The curves as rules want them.

    Attributes:
        loss: training loss.
        validation: validation loss.
        grad_norm: gradient norm before clipping.
        learning_rate: learning rate.
        broken: steps at which the recorded training loss or validation loss is no finite number.
        seams: steps that a later attempt went on from.
        recorded: points of the training loss, finite or not.
    """

    loss: Curve
    validation: Curve
    grad_norm: Curve
    learning_rate: Curve
    broken: Floats
    seams: tuple[int, ...]
    recorded: int
    facts: Facts = field(default_factory=Facts)

    def at(self, step: float) -> str:
        """A step in words, with its epoch where that is known."""
        epoch = self.epoch(step)
        return f"step {step:.0f}" if epoch is None else f"step {step:.0f} = epoch {epoch:.2g}"

    def epoch(self, step: float) -> float | None:
        """A step in epochs."""
        each = self.facts.epochs_per_step
        return None if each is None else float(step * each)


def evidence(series: Series, facts: Facts) -> Evidence:
    """The curves of `series`, split into what is finite and what is not."""
    steps, losses = series.curve("loss")
    loss, broken = _split(steps, losses)
    validation, broken_too = _split(*series.curve("validation_loss"))
    return Evidence(
        loss=loss,
        validation=validation,
        grad_norm=_split(*series.curve("grad_norm"))[0],
        learning_rate=_split(*series.curve("learning_rate"))[0],
        broken=np.union1d(broken, broken_too),
        seams=tuple(series.seams),
        recorded=len(losses),
        facts=facts,
    )


def _split(steps: Floats, values: Floats) -> tuple[Curve, Floats]:
    finite = np.abs(values) < LARGEST
    if finite.all():
        return Curve(steps, values), steps[:0]
    return Curve(steps[finite], values[finite]), steps[~finite]
