"""When a training logs, validates, saves and ends; in place of transformers' own flow."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from workbench.engine.commands import Commands
from workbench.engine.progress import Progress
from workbench.project.training import TrainingSettings


class Pacing(TrainerCallback):  # type: ignore[misc]
    """Sets the trainer's flags at the end of a step. The trainer then logs, validates and saves.

    Attributes:
        validation_due: the validation of this step is one of those that patience is counted in; one that
            somebody only asked for is not.
    """

    def __init__(self, settings: TrainingSettings, validates: bool, commands: Commands) -> None:
        self._settings = settings
        self._validates = validates
        self._commands = commands
        self.validation_due = False

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Between two micro-batches of a step: only an order to end at once has effect here."""
        self._commands.poll()
        return control

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """After the weights moved; the last step logs, validates and saves whatever the intervals say."""
        commands, step = self._commands, state.global_step
        commands.agree()
        last = step >= state.max_steps
        self.on_demand(control)
        # Who asked to stop waits for a checkpoint, not for a validation
        self.validation_due = (
            self._validates and not commands.stop and (last or _every(self._settings.eval_steps, step))
        )
        control.should_evaluate |= self.validation_due
        control.should_save |= last or _every(self._settings.save_steps, step)
        control.should_training_stop |= last
        # A checkpoint holds the counters of the last step event, so there is one at its step
        control.should_log = (
            control.should_save
            or control.should_evaluate
            or _every(commands.logging_steps or self._settings.logging_steps, step)
        )
        return control

    def on_demand(self, control: TrainerControl) -> None:
        """Between two steps: only what somebody asked for."""
        commands = self._commands
        self.validation_due = False
        control.should_training_stop = commands.stop
        control.should_evaluate = commands.validate and not commands.stop
        control.should_save = commands.stop or commands.checkpoint
        control.should_log = control.should_save or control.should_evaluate
        commands.checkpoint = commands.validate = False


def out_of_patience(settings: TrainingSettings, progress: Progress) -> str:
    """Why a run ends by early stopping now; empty when it does not."""
    seen = progress.validations_since_best
    if not 0 < settings.early_stopping_patience <= seen:
        return ""
    times = "validation" if seen == 1 else "validations"
    best = f"the best was step {progress.best_step}" if progress.best_step else "none had a loss"
    return f"early stopping: {seen} {times} without a new best, {best}"


def _every(interval: int, step: int) -> bool:
    return interval > 0 and step % interval == 0
