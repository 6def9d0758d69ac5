"""One training, from the run folder to its end; reads top to bottom."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from peft import PeftModel
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
from workbench.engine.arguments import compute_dtype, precision, training_arguments
from workbench.engine.checkpoint_writer import CheckpointWriter
from workbench.engine.commands import Commands
from workbench.engine.compilation import compile_blocks
from workbench.engine.memory import MemoryWatch
from workbench.engine.pacing import out_of_patience
from workbench.engine.packing import prepare_packing
from workbench.engine.progress import Progress
from workbench.engine.reasons import OutOfMemory
from workbench.engine.requirements import fallbacks, require_machine
from workbench.engine.samples import Samples
from workbench.engine.trainer import Diverged, Trainer, to_row
from workbench.engine.vocabulary import grow_vocabulary
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.project.schema import Project
from workbench.prompts.corpus import EncodedProject, encode_project
from workbench.prompts.encoding.encoded import Supervised
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import Checkpoint, newest_whole, rotate, sweep
from workbench.runs.continuing import find_adapter
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, read_spec
from workbench.runs.same_rows import validation_fingerprint


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended, unless an error ended it."""

    state: Literal["finished", "stopped"]
    step: int
    reason: str = ""


def train(run: Run, events: EventWriter, commands: Commands) -> Ending:
    """Train what `run` specifies, from its newest whole checkpoint if there is one.

    Raises:
        WorkbenchError: the project cannot be trained as it stands, or training diverged.
        StopNow: asked to end at once.
    """
    spec = read_spec(run)
    project = spec.project
    sweep(run)
    resume, damaged = newest_whole(run)
    for message in damaged:
        events.write("warning", message=message)
    progress = Progress.load(resume.path) if resume else Progress()
    # Killed between a checkpoint and the removal of older ones, a run has one too many
    rotate(run, project.training.save_total_limit, progress.best_step)
    enough = out_of_patience(project.training, progress)
    if resume and (enough or _is_last(resume)):
        # Killed between its last checkpoint and its last word; transformers would take one step too many
        return Ending("finished", resume.step, enough)
    arithmetic = precision(project.training)
    base_folder = locate(spec.base_model.here, spec.project_folder).folder
    require_machine(project, base_folder, arithmetic)
    for message in fallbacks(project):
        events.write("warning", message=message)

    opened = spec.open_project()
    encoded = encode_project(
        opened,
        _Preparing(events, "encoding the rows"),
        _Preparing(events, "reading the rows"),
    )
    _require_rows(encoded, project)
    _tell_left_out(encoded, events)
    rows = [to_row(example) for example in encoded.train]
    validation = [to_row(example) for example in encoded.validation]

    _Preparing(events, "loading the model")
    base = models.load_base_model(
        base_folder,
        project.model.quantization,
        models.weight_dtype(project, arithmetic),
        double_quantization=project.model.double_quantization,
        compute_dtype=models.DTYPES[compute_dtype(project.model, arithmetic)],
        attention=project.model.attn_implementation,
    )
    tokenizer = load_tokenizer(base_folder, project.prompt.special_tokens)
    if tokenizer.added:
        set_seed(project.training.seed)
        grow_vocabulary(base, tokenizer.size)
    _require_fit(base, encoded.train + encoded.validation)
    packing = _packing(base, project, events)
    adapter = find_adapter(spec.open_project())
    set_seed(project.training.seed)
    model = models.make_trainable(
        base,
        project.training,
        _portable_name(spec.base_model.name, base_folder),
        grown=bool(tokenizer.added),
        adapter=adapter.folder if adapter else None,
        resumes=resume is not None,
    )
    if project.training.torch_compile:
        compile_blocks(model)

    _tell_wide_rank(model, events)

    trainer = Trainer(
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
        progress=progress,
        samples=Samples(opened, encoded.validation or encoded.train),
    )
    trainer.add_callback(_Probe(trainer, events))
    trainer.add_callback(
        _Announcer(
            events,
            attempt=_attempts(run) + 1,
            resumed_from=resume.step if resume else None,
            train_rows=len(rows),
            validation_rows=len(validation),
            validation_fingerprint=validation_fingerprint(encoded.validation),
            precision=arithmetic,
            packing=packing,
            **_description(trainer, project),
        )
    )
    trainer.add_callback(MemoryWatch(events))
    try:
        trainer.train(resume_from_checkpoint=str(resume.path) if resume else None)
    except (Diverged, OutOfMemory):
        if trainer.state.global_step:
            trainer.save()
        raise
    step = trainer.state.global_step
    if trainer.last_saved != step and not (resume and resume.step == step):
        raise fault(f"the weights of step {step}, the last one, could not be written: see the warnings")
    if enough := out_of_patience(project.training, progress):
        return Ending("finished", step, enough)
    return Ending("stopped" if step < trainer.state.max_steps else "finished", step)


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


class _Probe(TrainerCallback):  # type: ignore[misc]
    """Lets the memory run out before the first step, if it does at all."""

    def __init__(self, trainer: Trainer, events: EventWriter) -> None:
        self._trainer = trainer
        self._events = events

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        _Preparing(self._events, "trying the longest examples")
        self._trainer.probe()


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


def _tell_wide_rank(model: torch.nn.Module, events: EventWriter) -> None:
    """A product of two matrices has no higher rank than the layer it is added to."""
    if not isinstance(model, PeftModel):
        return
    layers = [
        (min(layer.in_features, layer.out_features), name.rpartition(".")[2])
        for name, layer in model.named_modules()
        if hasattr(layer, "lora_A") and hasattr(layer, "in_features")
    ]
    most, name = min(layers)
    rank = model.peft_config["default"].r
    if rank > most:
        what = f"training.rank = {rank} is more than {name} can use, which is {most} wide"
        events.write("warning", message=f"{what}: memory and time without effect")


def _require_rows(encoded: EncodedProject, project: Project) -> None:
    if not encoded.train:
        reasons = [f"{count} {reason}" for report in encoded.report for reason, count, _ in report.left_out]
        hint = f"left out: {', '.join(reasons)}" if reasons else "add rows"
        raise fault("no row is left to train on", "data.source", hint)
    if project.training.early_stopping_patience and not encoded.validation:
        where = "training.early_stopping_patience"
        raise fault("no row is held out, early stopping looks at such rows", where, "raise data.validation")


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
    own_attention = project.model.attn_implementation != "auto"
    if asked == "none" or prepare_packing(model, own_attention=own_attention):
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
