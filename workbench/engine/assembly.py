"""The trainer of one run: base model, adapter, rows, checkpoints, put together."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, set_seed

from workbench.engine import models
from workbench.engine.arguments import compute_dtype, precision, training_arguments
from workbench.engine.checkpoint_writer import CheckpointWriter
from workbench.engine.commands import Commands
from workbench.engine.compilation import compile_blocks
from workbench.engine.packing import prepare_packing
from workbench.engine.preparing import Preparing
from workbench.engine.progress import Progress
from workbench.engine.ranks import ALONE, Ranks
from workbench.engine.requirements import fallbacks, require_machine
from workbench.engine.rows import to_row
from workbench.engine.samples import Samples
from workbench.engine.suitable import require_fit, tell_wide_rank
from workbench.engine.trainer import Trainer
from workbench.engine.vocabulary import grow_vocabulary
from workbench.project.base_model import BaseModel, locate
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.prompts.corpus import EncodedProject
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.continuing import find_adapter
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.same_rows import validation_fingerprint
from workbench.runs.spec import Spec


def build(
    run: Run,
    spec: Spec,
    opened: OpenProject,
    encoded: EncodedProject,
    events: EventWriter,
    commands: Commands,
    *,
    progress: Progress | None = None,
    kind: type[Trainer] = Trainer,
    ranks: Ranks = ALONE,
) -> tuple[Trainer, dict[str, Any]]:
    """The trainer of one run, with its model loaded, and what the `started` event says of it.

    Args:
        opened: the project of `spec`.
        encoded: its rows; at least one to train on.
        progress: of the checkpoint that the run goes on from; None when it begins.
        kind: the class of the trainer; `workbench.engine.measure_job` has one that writes no checkpoints.
        ranks: who trains it together; each builds its own.

    Raises:
        WorkbenchError: the machine cannot do it, or the base model does not suit the rows.
    """
    project = spec.project
    arithmetic = precision(project.training)
    base_folder = locate(spec.base_model.here, spec.project_folder).folder
    require_machine(project, base_folder, arithmetic)
    for message in fallbacks(project):
        events.write("warning", message=message)
    rows = [to_row(example) for example in encoded.train]
    validation = [to_row(example) for example in encoded.validation]

    Preparing(events, "loading the model")
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
    require_fit(base, encoded.train + encoded.validation)
    packing = _packing(base, project, events)
    adapter = find_adapter(opened)
    set_seed(project.training.seed)
    model = models.make_trainable(
        base,
        project.training,
        BaseModel(spec.base_model.name, base_folder).portable_name,
        grown=bool(tokenizer.added),
        adapter=adapter.folder if adapter else None,
        resumes=progress is not None,
    )
    if project.training.torch_compile:
        compile_blocks(model)
    tell_wide_rank(model, events)

    trainer = kind(
        project.training,
        model,
        training_arguments(project, run.checkpoints, packing, spec.id),
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
        progress=progress or Progress(),
        samples=Samples(opened, encoded.validation or encoded.train) if ranks.writes else None,
        ranks=ranks,
    )
    if ranks.several:
        # The same dropout in every rank would be noise that does not average out
        torch.manual_seed(project.training.seed + ranks.rank)
    return trainer, {
        "train_rows": len(rows),
        "validation_rows": len(validation),
        "validation_fingerprint": validation_fingerprint(encoded.validation),
        "precision": arithmetic,
        "packing": packing,
        **_description(trainer, project),
    }


def _description(trainer: Trainer, project: Project) -> dict[str, Any]:
    trainable, total = models.count_parameters(trainer.model)
    gpu = torch.cuda.is_available()
    settings = project.training
    return {
        "trainable_parameters": trainable,
        "parameters": total,
        "device": torch.cuda.get_device_name(0) if gpu else f"CPU, {torch.get_num_threads()} threads",
        "effective_batch": settings.per_device_train_batch_size
        * settings.gradient_accumulation_steps
        * trainer.args.world_size,
        "world_size": trainer.args.world_size,
    }


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
