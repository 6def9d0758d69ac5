"""A foreign run as it was read: its points by step, whatever the file was."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import fault

SHOWN_NAMES = 12

Figures = dict[str, float]
"""Field of a step or evaluated event to its value."""

_ALIASES = {
    "loss": ("loss", "train_loss", "training_loss"),
    "learning_rate": ("learning_rate", "lr", "train_learning_rate", "train_lr"),
    "grad_norm": ("grad_norm", "gradient_norm", "train_grad_norm"),
    "token_accuracy": (
        "token_accuracy",
        "training_token_accuracy",
        "train_token_accuracy",
        "mean_token_accuracy",
        "train_mean_token_accuracy",
    ),
    "sequence_accuracy": ("sequence_accuracy", "training_sequence_accuracy", "train_sequence_accuracy"),
    "elapsed_tokens": ("elapsed_tokens", "num_tokens", "train_num_tokens", "num_input_tokens_seen"),
    "elapsed_examples": ("elapsed_examples",),
    "epoch": ("epoch", "epochs", "train_epoch"),
}
_VALIDATION_ALIASES = {
    "validation_loss": ("loss",),
    "token_accuracy": ("token_accuracy", "mean_token_accuracy"),
    "sequence_accuracy": ("sequence_accuracy",),
    "seconds": ("runtime",),
}
_VALIDATION_PREFIXES = ("validation", "valid", "val", "eval", "test")
_STEPS = ("step", "steps", "global_step", "train_global_step", "iteration", "iter")

STEP = ("step", "step")
ROLES: dict[str, tuple[str, str]] = (
    dict.fromkeys(_STEPS, STEP)
    | {name: ("training", key) for key, names in _ALIASES.items() for name in names}
    | {
        f"{prefix}_{name}": ("validation", key)
        for key, names in _VALIDATION_ALIASES.items()
        for name in names
        for prefix in _VALIDATION_PREFIXES
    }
)
"""A name of another program, in small letters with `_`, to where it belongs: the event, and its field."""


def role(name: str) -> tuple[str, str] | None:
    """Where a column or tag belongs; None for what has no place here.

    A tag may come as `train/loss`, a column of a W&B export as `run name - train/loss`.
    """
    last = name.rpartition(" - ")[2]
    return ROLES.get(re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_"))


@dataclass
class Foreign:
    """What was read.

    Attributes:
        format: what kind of file it was.
        training: step to the figures of a step event.
        validation: step to the figures of an evaluated event.
        times: step to seconds since 1970, where the file says.
        settings: what the file says of how the run was made.
        ignored: names of columns or tags that have no place here.
        remarks: what else a person should know.
    """

    format: str
    training: dict[int, Figures] = field(default_factory=dict)
    validation: dict[int, Figures] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _last: int | None = None
    _shuffled: int = 0
    _again: int = 0

    def add(self, step: int, figures: list[tuple[tuple[str, str], float]]) -> None:
        """Take in what one line says of a step; a later line of the same step wins where both speak."""
        self._shuffled += self._last is not None and step < self._last
        self._last = step
        for (event, key), value in figures:
            at = (self.training if event == "training" else self.validation).setdefault(step, {})
            self._again += key in at and at[key] != value and key != "epoch"
            at[key] = value

    def restart_at(self, step: int) -> None:
        """What comes next takes the place of everything from `step` on."""
        for points in (self.training, self.validation):
            for each in [each for each in points if each >= step]:
                del points[each]
        self._last = None

    def finish(self, path: Path) -> None:
        """Leave out points without a loss and say so.

        Raises WorkbenchError: no point has one.
        """
        lossless = [step for step, figures in self.training.items() if "loss" not in figures]
        for step in lossless:
            figures = self.training.pop(step)
            if step in self.validation and "epoch" in figures:
                self.validation[step].setdefault("epoch", figures["epoch"])
        bare = [step for step, figures in self.validation.items() if "validation_loss" not in figures]
        for step in bare:
            del self.validation[step]
        if not self.training and not self.validation:
            raise fault("holds no training loss and no validation loss", path, self._seen())
        only = [step for step in lossless if step not in self.validation]
        if only:
            self.remarks.append(f"{len(only)} steps have no loss and are left out, first step {min(only)}")
        if self._shuffled:
            self.remarks.append(f"steps are out of order in {self._shuffled} places: sorted")
        if self._again:
            self.remarks.append(f"{self._again} figures are told twice for one step: the last counts")
        if self.ignored:
            more = " …" if len(self.ignored) > SHOWN_NAMES else ""
            self.remarks.append(f"not taken over: {', '.join(self.ignored[:SHOWN_NAMES])}{more}")

    @property
    def last_step(self) -> int:
        """The highest step."""
        return max((*self.training, *self.validation), default=0)

    def _seen(self) -> str:
        return f"it has: {', '.join(self.ignored[:SHOWN_NAMES])}" if self.ignored else ""


def number(text: str) -> float | None:
    """A cell as a number: None for a blank one; `nan` and `inf` are numbers.

    Raises ValueError for anything else.
    """
    text = text.strip().strip("*`")
    if text.lower() in ("", "-", "–", "none", "null", "no log", "n/a", "na"):
        return None
    if "_" in text:
        raise ValueError(text)
    return float(text)


def whole(value: float) -> int:
    """A step number. Raises ValueError for what is none."""
    if not math.isfinite(value) or value != int(value) or not 0 <= value < 2**53:
        raise ValueError(value)
    return int(value)
