"""One training, from the run folder to its end; reads top to bottom."""

from dataclasses import dataclass
from typing import Any, Literal

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from workbench.engine.assembly import build
from workbench.engine.commands import Commands
from workbench.engine.finite import Diverged
from workbench.engine.hand_offs import hand_offs
from workbench.engine.measuring import remember_run
from workbench.engine.memory import MemoryWatch
from workbench.engine.pacing import out_of_patience
from workbench.engine.preparing import Preparing
from workbench.engine.progress import Progress
from workbench.engine.ranks import Ranks, join, wrapper_of
from workbench.engine.reasons import OutOfMemory, out_of_memory
from workbench.engine.recovery import tell_out_of_memory
from workbench.engine.suitable import require_rows, tell_left_out
from workbench.engine.trainer import Trainer
from workbench.errors import fault
from workbench.prompts.corpus import encode_project
from workbench.runs.checkpoints import Checkpoint, newest_whole, rotate, sweep
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, read_spec


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended, unless an error ended it."""

    state: Literal["finished", "stopped"]
    step: int
    reason: str = ""


def train(run: Run, events: EventWriter, commands: Commands) -> Ending:
    """Train what `run` specifies, from its newest whole checkpoint if there is one.

    Every rank of a run with several processes calls it; `events` of those that do not write go nowhere.

    Raises:
        WorkbenchError: the project cannot be trained as it stands, training diverged, or other than the
            run's number of processes take part.
        StopNow: asked to end at once.
    """
    spec = read_spec(run)
    settings = spec.project.training
    ranks = join(spec.project.launch)
    commands.join(ranks)
    resume = ranks.from_first(_resume_point(run, events) if ranks.writes else None)
    progress = Progress.load(resume.path) if resume else Progress()
    if ranks.writes:
        # Killed between a checkpoint and the removal of older ones, a run has one too many
        rotate(run, settings.save_total_limit, progress.best_step)
    enough = out_of_patience(settings, progress)
    if resume and (enough or _is_last(resume)):
        # Killed between its last checkpoint and its last word; transformers would take one step too many
        return Ending("finished", resume.step, enough)

    opened = spec.open_project()
    encoded = encode_project(
        opened, Preparing(events, "encoding the rows"), Preparing(events, "reading the rows")
    )
    require_rows(encoded, spec.project)
    tell_left_out(encoded.report, events)

    try:
        trainer, facts = build(
            run,
            spec,
            opened,
            encoded,
            events,
            commands,
            progress=progress if resume else None,
            ranks=ranks,
        )
    except Exception as error:
        if out_of_memory(error):  # in loading the model, most of all
            batches = settings.per_device_train_batch_size, settings.gradient_accumulation_steps
            tell_out_of_memory(events, resume.step if resume else 0, batches, "none")
        raise
    trainer.add_callback(_Probe(trainer, events))
    started = {"attempt": _attempts(run) + 1, "resumed_from": resume.step if resume else None, **facts}
    trainer.add_callback(_Announcer(trainer, ranks, events, **started))
    trainer.add_callback(MemoryWatch(events))
    for hand_off in hand_offs(spec.project.launch.report_to, run.folder, events) if ranks.writes else ():
        trainer.add_callback(hand_off)
    try:
        trainer.train(resume_from_checkpoint=str(resume.path) if resume else None)
    except (Diverged, OutOfMemory):
        if trainer.state.global_step:
            trainer.save()
        raise
    step = trainer.state.global_step
    if ranks.writes and step > (resume.step if resume else 0):
        remember_run(opened, run, spec.id, trainer)
    if trainer.last_saved != step and not (resume and resume.step == step):
        raise fault(f"the weights of step {step}, the last one, could not be written: see the warnings")
    if enough := out_of_patience(settings, trainer.progress):
        return Ending("finished", step, enough)
    return Ending("stopped" if step < trainer.state.max_steps else "finished", step)


class _Probe(TrainerCallback):  # type: ignore[misc]
    """Lets the memory run out before the first step, if it does at all."""

    def __init__(self, trainer: Trainer, events: EventWriter) -> None:
        self._trainer = trainer
        self._events = events

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        Preparing(self._events, "trying the longest examples")
        self._trainer.probe()


class _Announcer(TrainerCallback):  # type: ignore[misc]
    """Writes the `started` event, once transformers has counted the steps."""

    def __init__(self, trainer: Trainer, ranks: Ranks, events: EventWriter, **fields: Any) -> None:
        self._trainer = trainer
        self._ranks = ranks
        self._events = events
        self._fields = fields

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        wrapper = wrapper_of(self._trainer.model_wrapped, self._ranks)
        steps, epochs = state.max_steps, state.num_train_epochs
        self._events.write("started", total_steps=steps, epochs=epochs, wrapper=wrapper, **self._fields)


def _resume_point(run: Run, events: EventWriter) -> Checkpoint | None:
    """The checkpoint to go on from, after what a kill left behind is cleared away."""
    sweep(run)
    resume, damaged = newest_whole(run)
    for message in damaged:
        events.write("warning", message=message)
    return resume


def _is_last(checkpoint: Checkpoint) -> bool:
    """All steps of the run are behind it."""
    state = TrainerState.load_from_json(str(checkpoint.path / "trainer_state.json"))
    return bool(state.global_step >= state.max_steps)


def _attempts(run: Run) -> int:
    """How often this run was started before."""
    with run.events.open("rb") as lines:
        return sum(b'"kind":"started"' in line.replace(b" ", b"") for line in lines)
