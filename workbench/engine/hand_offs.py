"""The figures of a run for wandb, TensorBoard or trackio, where `launch.report_to` asks for it.

transformers' own callbacks do it, with what our events say. Nothing but figures, settings and the model's
configuration is handed on, never weights. One that fails costs a warning, not the run.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, integrations

from workbench.runs.events import EventWriter

TENSORBOARD = "tensorboard"
"""Folder of the run that its files go into."""


class HandOff(TrainerCallback):  # type: ignore[misc]
    """One of transformers' callbacks, kept away from all but the figures.

    Args:
        name: as in `launch.report_to`.
        make: the callback; it may need what is not there.
    """

    def __init__(self, name: str, make: Callable[[], TrainerCallback], events: EventWriter) -> None:
        self._name = name
        self._events = events
        self._inner: TrainerCallback | None = None
        self._try(lambda: setattr(self, "_inner", make()))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The connection is made, or the files are begun."""
        self._hand_on("on_train_begin", args, state, control, **kwargs)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called by the trainer for each point of a curve."""
        self._hand_on("on_log", args, state, control, **kwargs)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """All is said."""
        self._hand_on("on_train_end", args, state, control, **kwargs)

    def _hand_on(self, event: str, *args: Any, **kwargs: Any) -> None:
        if self._inner is not None:
            self._try(lambda: getattr(self._inner, event)(*args, **kwargs))

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except Exception as error:  # of somebody else's package, network or server
            self._inner = None
            reason = str(error).strip().partition("\n")[0]
            message = f"{self._name} gets no figures from here on: {type(error).__name__}: {reason}"
            self._events.write("warning", message=message)


def hand_offs(names: Sequence[str], folder: Path, events: EventWriter) -> Iterator[HandOff]:
    """A callback for each of `names`; `folder` is the run's."""

    def tensorboard() -> TrainerCallback:
        made = integrations.TensorBoardCallback()
        # Its default lies among the checkpoints; this one is found by `tensorboard --logdir` of the project
        made.logging_dir = made.logging_dir or str(folder / TENSORBOARD)
        return made

    makers: dict[str, Callable[[], TrainerCallback]] = {
        "tensorboard": tensorboard,
        "wandb": integrations.WandbCallback,
        "trackio": integrations.TrackioCallback,
    }
    for name in dict.fromkeys(names):
        yield HandOff(name, makers[name], events)
