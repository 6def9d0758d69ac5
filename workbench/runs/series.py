"""The curves of a run as numpy arrays that grow: a million steps, fed in slices, shown without a copy."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.runs.events import Event

Floats: TypeAlias = NDArray[np.float64]

TRAINING = {
    name: name
    for name in (
        "loss",
        "learning_rate",
        "grad_norm",
        "token_accuracy",
        "sequence_accuracy",
        "tokens_per_second",
        "supervised_tokens_per_second",
    )
}
"""Metrics of step events that are kept as curves, and the field each is read from."""

VALIDATION = {
    "validation_loss": "validation_loss",
    "validation_token_accuracy": "token_accuracy",
    "validation_sequence_accuracy": "sequence_accuracy",
}
"""The same of evaluated events."""

AXES = {"epoch": "epoch", "tokens": "elapsed_tokens", "minutes": "seconds"}
"""What a curve can run over beside its steps, and the field of step events it is read from."""

_SECONDS_A_MINUTE = 60.0
_FIRST_CAPACITY = 1024
_GROWTH = 1.5


class Series:
    """The curves so far.

    A step that comes again, after a resume, replaces what was there from that step on, so that every curve
    runs strictly upwards in its steps.

    Args:
        more: further curves of step events, by the field each is read from.

    Attributes:
        seams: steps that a later attempt went on from.
        checkpoints: steps at which a checkpoint was written.
    """

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        self.seams: list[int] = []
        self.checkpoints: list[int] = []
        self._training = _Columns(TRAINING | AXES | dict(more or {}))
        self._validation = _Columns(VALIDATION)

    def feed(self, events: Iterable[Event]) -> None:
        """Take in events in the order in which they were logged."""
        steps: list[Event] = []
        for event in events:
            kind = event["kind"]
            if kind == "step":
                steps.append(event)
            elif kind == "evaluated":
                self._validation.extend([event])
            elif kind == "checkpoint":
                self.checkpoints.append(event["step"])
            elif kind == "started":
                self._training.extend(steps)
                steps = []
                self._begin(event.get("resumed_from"))
        self._training.extend(steps)

    def _begin(self, resumed_from: int | None) -> None:
        """An attempt begins: what an earlier one logged after the resume point does not count any more."""
        kept = resumed_from or 0
        if resumed_from is not None and (len(self._training) or len(self._validation)):
            self.seams = [seam for seam in self.seams if seam < kept] + [kept]
        elif resumed_from is None:
            self.seams = []
        self.checkpoints = [step for step in self.checkpoints if step <= kept]
        self._training.cut_after(kept)
        self._validation.cut_after(kept)

    def curve(self, metric: str) -> tuple[Floats, Floats]:
        """Steps and values of one of `TRAINING` or `VALIDATION`; both empty before the first point.

        Returns:
            x, y: float64 of one length; read-only views that stay valid while the series grows. A value that
            was not a number, or not logged, is NaN.
        """
        columns = self._validation if metric in VALIDATION else self._training
        return columns.x, columns.y(metric)

    def positions(self, axis: str, steps: Floats) -> Floats:
        """Where `steps` lie on an axis: `step` itself or one of `AXES`, between the points that were logged.

        Returns:
            float64 of the same length; NaN where the run did not log the axis.
        """
        if axis == "step" or not len(steps):
            return steps
        own, values = self._training.x, self._training.y(axis)
        if axis == "minutes":
            values = values / _SECONDS_A_MINUTE
        if steps is own or (len(steps) == len(own) and np.array_equal(steps, own)):
            return values
        known = np.isfinite(values)
        if not known.any():
            return np.full(len(steps), np.nan)
        return np.interp(steps, own[known], values[known])

    def epoch_starts(self) -> Floats:
        """The steps at which epochs 1, 2, ... were complete."""
        steps, epochs = self._training.x, self._training.y("epoch")
        known = np.isfinite(epochs)
        steps, epochs = steps[known], epochs[known]
        if not len(epochs) or epochs[-1] < 1:
            return np.empty(0)
        # Epochs are logged as shares of steps: a hair under the whole number counts as complete
        return steps[np.searchsorted(epochs, np.arange(1, int(epochs[-1] + 1e-6) + 1) - 1e-6)]

    @property
    def best(self) -> int | None:
        """The step of the lowest validation loss, the first of equals; None before the first validation."""
        steps, losses = self.curve("validation_loss")
        if not len(losses) or np.isnan(losses).all():
            return None
        return int(steps[np.nanargmin(losses)])


class _Columns:
    """A table of floats that grows at its end and is cut by step; column 0 holds the steps."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = list(fields.values())
        self._rows = {metric: row for row, metric in enumerate(fields, 1)}
        self._table: Floats = np.empty((len(fields) + 1, _FIRST_CAPACITY))
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def x(self) -> Floats:
        return self._view(0)

    def y(self, metric: str) -> Floats:
        """Raises KeyError for a metric that is not kept."""
        return self._view(self._rows[metric])

    def _view(self, row: int) -> Floats:
        view = self._table[row, : self._length]
        view.flags.writeable = False
        return view

    def cut_after(self, step: float) -> None:
        """Forget the points behind `step`."""
        self._keep(int(np.searchsorted(self.x, step, side="right")))

    def extend(self, events: Sequence[Event]) -> None:
        """Append events; where one steps back, what was there from its step on goes."""
        start = 0
        for index in range(1, len(events) + 1):
            if index == len(events) or events[index]["step"] <= events[index - 1]["step"]:
                self._append(events[start:index])
                start = index

    def _append(self, events: Sequence[Event]) -> None:
        """Append events of rising steps."""
        first = events[0]["step"]
        if self._length and first <= self._table[0, self._length - 1]:
            self._keep(int(np.searchsorted(self.x, first)))
        end = self._length + len(events)
        if end > self._table.shape[1]:
            # Never in place: views that were given out keep the old table
            table: Floats = np.empty((self._table.shape[0], max(end, int(self._table.shape[1] * _GROWTH))))
            table[:, : self._length] = self._table[:, : self._length]
            self._table = table
        for row, field in enumerate(("step", *self._fields)):
            self._table[row, self._length : end] = _floats([event.get(field) for event in events])
        self._length = end

    def _keep(self, length: int) -> None:
        """Views that were given out keep the points that go."""
        if length < self._length:
            self._table = self._table.copy()
            self._length = length


def _floats(values: list[Any]) -> Floats:
    """As float64; None becomes NaN, and so does what is no number."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array([v if isinstance(v, int | float) else np.nan for v in values], dtype=np.float64)
