"""One training, from the run folder to its end; reads top to bottom."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from workbench.engine import models
from workbench.engine.arguments import precision, training_arguments
from workbench.engine.checkpoint_writer import CheckpointWriter
from workbench.engine.commands import Commands
from workbench.engine.packing import prepare_packing
from workbench.engine.progress import Progress
from workbench.engine.trainer import Diverged, Trainer, to_row
from workbench.engine.vocabulary import grow_vocabulary
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.project.schema import Project
from workbench.prompts.corpus import EncodedProject, encode_project
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import Checkpoint, list_checkpoints, sweep, verify
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, read_spec
from workbench.runs.spec import Spec


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended, unless an error ended it."""

    state: Literal["finished", "stopped"]
    step: int


def train(run: Run, events: EventWriter, commands: Commands) -> Ending:
    """Train what `run` specifies, from its newest complete checkpoint if there is one.

    Raises:
        WorkbenchError: the project cannot be trained as it stands, or training diverged.
        StopNow: asked to end at once.
    """
    spec = read_spec(run)
    sweep(run)
    resume = _newest(run)
    if resume and _is_last(resume):
        # Killed between its last checkpoint and its last word; transformers would take one step too many
        return Ending("finished", resume.step)

    encoded = encode_project(
        spec.open_project(),
        _Preparing(events, "encoding the rows"),
        _Preparing(events, "reading the rows"),
    )
    _require_rows(encoded)
    _tell_left_out(encoded, events)
    trainer, fields = build(run, spec, encoded, events, commands, resume)
    trainer.add_callback(
        _Announcer(
            events,
            attempt=_attempts(run) + 1,
            resumed_from=resume.step if resume else None,
            **fields,
        )
    )
    try:
        trainer.train(resume_from_checkpoint=str(resume.path) if resume else None)
    except Diverged:
        if trainer.state.global_step:
            trainer.save()
        raise
    step = trainer.state.global_step
    if trainer.last_saved != step and not (resume and resume.step == step):
        raise fault(f"the weights of step {step}, the last one, could not be written: see the warnings")
    return Ending("stopped" if step < trainer.state.max_steps else "finished", step)


def build(
    run: Run,
    spec: Spec,
    encoded: EncodedProject,
    events: EventWriter,
    commands: Commands,
    resume: Checkpoint | None = None,
    kind: type[Trainer] = Trainer,
) -> tuple[Trainer, dict[str, Any]]:
    """The trainer of one run, with its model loaded, and what the `started` event says of it.

    Args:
        encoded: the rows; at least one to train on.
        resume: the checkpoint that it will go on from.
        kind: the class of the trainer; `workbench.engine.measure_job` has one that writes no checkpoints.
    """
    project = spec.project
    rows = [to_row(example) for example in encoded.train]
    validation = [to_row(example) for example in encoded.validation]

    _Preparing(events, "loading the model")
    arithmetic = precision(project.training)
    base_folder = locate(spec.base_model.here, spec.project_folder).folder
    base = models.load_base_model(
        base_folder, project.model.quantization, models.weight_dtype(project, arithmetic)
    )
    tokenizer = load_tokenizer(base_folder, project.prompt.special_tokens)
    if tokenizer.added:
        set_seed(project.training.seed)
        grow_vocabulary(base, tokenizer.size)
    _require_fit(base, encoded.train + encoded.validation)
    packing = _packing(base, project, events)
    set_seed(project.training.seed)
    model = models.make_trainable(
        base,
        project.training,
        _portable_name(spec.base_model.name, base_folder),
        grown=bool(tokenizer.added),
    )

    trainer = kind(
        project.training,
        model,
        training_arguments(project, run.checkpoints, packing),
        _tokenizer(base_folder),
        rows,
        validation,
        events=events,
        commands=commands,
        checkpoints=CheckpointWriter(
            run,
            events,
            project.training.save_total_limit,
            base_folder,
            spec.template.source,
            tokenizer.definition() if tokenizer.added else "",
        ),
        progress=Progress.load(resume.path) if resume else Progress(),
    )
    return trainer, {
        "train_rows": len(rows),
        "validation_rows": len(validation),
        "precision": arithmetic,
        "packing": packing,
        **_description(trainer, project),
    }


class _Preparing:
    """Tells the events how far a phase before the first step is, twice a second at most."""

    def __init__(self, events: EventWriter, phase: str) -> None:
        self._events = events
        self._phase = phase
        self._next = 0.0
        self(0, 0)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + 0.5
            self._events.write("preparing", phase=self._phase, done=done, total=total)


class _Announcer(TrainerCallback):  # type: ignore[misc]
    """Writes the `started` event, once transformers has counted the steps."""

    def __init__(self, events: EventWriter, **fields: Any) -> None:
        self._events = events
        self._fields = fields

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._events.write(
            "started", total_steps=state.max_steps, epochs=state.num_train_epochs, **self._fields
        )


def _description(trainer: Trainer, project: Project) -> dict[str, Any]:
    trainable, total = models.count_parameters(trainer.model)
    gpu = torch.cuda.is_available()
    settings = project.training
    return {
        "trainable_parameters": trainable,
        "parameters": total,
        "device": torch.cuda.get_device_name(0) if gpu else f"CPU, {torch.get_num_threads()} threads",
        "effective_batch": settings.per_device_train_batch_size * settings.gradient_accumulation_steps,
        "world_size": trainer.args.world_size,
    }


def _portable_name(name: str, folder: Path) -> str:
    """What an adapter calls its base model: the hub id where it came from the hub, else the folder."""
    return name if folder.parent.name == "snapshots" else str(folder)


def _newest(run: Run) -> Checkpoint | None:
    """The checkpoint to go on from, every byte of it checked against its manifest."""
    checkpoints = list_checkpoints(run)
    if not checkpoints:
        return None
    verify(checkpoints[-1])
    return checkpoints[-1]


def _is_last(checkpoint: Checkpoint) -> bool:
    """All steps of the run are behind it."""
    state = TrainerState.load_from_json(str(checkpoint.path / "trainer_state.json"))
    return bool(state.global_step >= state.max_steps)


def _tell_left_out(encoded: EncodedProject, events: EventWriter) -> None:
    """One warning for each source that loses rows: how many, why, and where to look first."""
    for report in encoded.report:
        if reasons := report.left_out:
            lost = sum(count for _, count, _ in reasons)
            told = ", ".join(
                f"{count} {reason}" + (f" (first: row {first})" if first is not None else "")
                for reason, count, first in reasons
            )
            message = f"{lost} of {report.read} rows of {report.name} are not used: {told}"
            events.write("warning", message=message)


def _require_rows(encoded: EncodedProject) -> None:
    if not encoded.train:
        reasons = [f"{count} {reason}" for report in encoded.report for reason, count, _ in report.left_out]
        hint = f"left out: {', '.join(reasons)}" if reasons else "add rows"
        raise fault("no row is left to train on", "data.source", hint)


def _require_fit(model: PreTrainedModel, examples: Sequence[Supervised]) -> None:
    """Positions and tokens that the model does not have would end the run midway, or train nonsense."""
    longest = max(len(example.ids) for example in examples)
    limit = models.context_length(model)
    if limit is not None and longest > limit:
        over = sum(len(example.ids) > limit for example in examples)
        raise fault(
            f"{over} of {len(examples)} examples are longer than the {limit} tokens the model was made for; "
            f"the longest has {longest}",
            "data.max_tokens",
            f"set it to {limit} or less",
        )
    known = model.get_input_embeddings().num_embeddings
    highest = max(max(example.ids) for example in examples)
    if highest >= known:
        raise fault(
            f"the tokenizer makes token {highest}, the base model knows {known} tokens",
            "model.base",
            "its tokenizer belongs to another model",
        )


def _packing(model: PreTrainedModel, project: Project, events: EventWriter) -> str:
    asked = project.training.packing
    if asked == "none" or prepare_packing(model):
        return asked
    events.write(
        "warning",
        message=f"packing = {asked} is off and rows are padded: end to end, examples would read each other "
        "in this architecture",
    )
    return "none"


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """For its padding token alone: rows come encoded, checkpoints get the base model's own files."""
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def _attempts(run: Run) -> int:
    """How often this run was started before."""
    with run.events.open("rb") as lines:
        return sum(b'"kind":"started"' in line.replace(b" ", b"") for line in lines)
