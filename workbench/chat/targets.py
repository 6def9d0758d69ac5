"""Whom one can talk to: the base model, every complete checkpoint of every run, and the newest of one that
goes on.
"""

from dataclasses import replace
from pathlib import Path

from workbench.chat.protocol import Quantization, Target
from workbench.errors import WorkbenchError
from workbench.project.base_model import locate
from workbench.project.store import OpenProject
from workbench.prompts.contract import contract_of, tokenizer_fingerprint
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import Checkpoint, list_checkpoints
from workbench.runs.folder import Run, list_runs, read_spec
from workbench.runs.lock import is_held

__all__ = ["Target", "newest", "quantized", "remarks", "targets"]


def targets(project: OpenProject) -> list[Target]:
    """The base model first, then the checkpoints: newest run first, newest checkpoint first. Of a run that is
    going on, the one that is newest at any time comes before them.

    Nothing is loaded or resolved here: a base model or a template that is missing shows when it is loaded. A
    run whose spec cannot be read is left out; `workbench show` tells what is wrong with it.
    """
    found = [_base(project)]
    for run in list_runs(project.folder):
        try:
            found += _checkpoints(run, project.folder)
        except WorkbenchError:
            continue
    return found


def newest(target: Target) -> Target:
    """The target as it is now: a run's newest checkpoint is another one after a while, all else stays."""
    if target.kind != "newest" or target.weights is None:
        return target
    checkpoints = list_checkpoints(Run(target.weights.parent.parent))
    return _following(target, checkpoints[-1]) if checkpoints else target


def quantized(target: Target, quantization: Quantization) -> Target:
    """The target with its base model held in another way than in training; the engine measures what that
    changes.
    """
    if target.quantization == quantization:
        return target
    trained = None if target.weights is None else target.quantization
    return replace(target, quantization=quantization, trained_quantization=trained)


def remarks(target: Target, project: OpenProject) -> list[str]:
    """What a person should know before talking to a target: where a checkpoint's prompts are not the
    project's of now, where its tokenizer is not the one of its run, and which tokens the base model lacks.
    Reads tokenizer files.

    Raises WorkbenchError when the run's spec cannot be read.
    """
    if target.weights is None:
        return _unknown_tokens(target)
    trained = read_spec(Run(target.weights.parent.parent)).contract
    try:
        now = contract_of(project)
    except WorkbenchError:  # what the project's prompts would be is another matter
        others = []
    else:
        others = trained.differences(now)
    said = []
    if others:
        said.append(
            f"{target.run} was trained with another {_listed(others)} than the project has now: "
            "the run's is used"
        )
    if not _own_tokenizer(target, target.weights, trained.tokenizer):
        said.append(f"the tokenizer files of {target.label} are not those that its run was trained with")
    return said


def _unknown_tokens(target: Target) -> list[str]:
    """What the project adds to the vocabulary, which only its runs know."""
    try:
        base = locate(target.base, target.project_folder, weights=False).folder
        added = load_tokenizer(base, target.prompt.special_tokens).added
    except WorkbenchError:  # loading says what is wrong
        return []
    if not added:
        return []
    it = "it" if len(added) == 1 else "them"
    return [f"the base model does not know {', '.join(added)}: it reads {it} as ordinary text"]


def _own_tokenizer(target: Target, folder: Path, trained: str) -> bool:
    """Whether a checkpoint has the tokenizer files of its run, as far as can be told.

    `trained` is the base model's fingerprint; a run that adds special tokens writes an enlarged tokenizer.
    """
    if not (folder / "tokenizer.json").is_file() or trained in ("", found := tokenizer_fingerprint(folder)):
        return True
    if not target.prompt.special_tokens:
        return False
    try:
        base = locate(target.base, target.project_folder, weights=False).folder
        if tokenizer_fingerprint(base) != trained:
            return True
        return tokenizer_fingerprint(base, target.prompt.special_tokens) == found
    except WorkbenchError:
        return True


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _base(project: OpenProject) -> Target:
    settings = project.settings
    return Target(
        kind="base",
        label=f"base model {settings.model.base}",
        base=settings.model.base,
        project_folder=project.folder,
        template=settings.prompt.template,
        prompt=settings.prompt,
        quantization=settings.model.quantization,
        double_quantization=settings.model.double_quantization,
    )


def _checkpoints(run: Run, project_folder: Path) -> list[Target]:
    checkpoints = sorted(list_checkpoints(run), key=lambda checkpoint: checkpoint.step, reverse=True)
    if not checkpoints:
        return []
    spec = read_spec(run)
    found = [
        Target(
            kind="checkpoint",
            label=f"{run.id} step {checkpoint.step}{' (best)' if checkpoint.best else ''}",
            base=spec.base_model.here,
            project_folder=project_folder,
            template=spec.template.name,
            template_source=spec.template.source,
            prompt=spec.project.prompt,
            quantization=spec.project.model.quantization,
            double_quantization=spec.project.model.double_quantization,
            weights=checkpoint.path,
            run=run.id,
            step=checkpoint.step,
            base_fingerprint=spec.fingerprints.get("base_model", ""),
        )
        for checkpoint in checkpoints
    ]
    return [_following(found[0], checkpoints[0]), *found] if is_held(run) else found


def _following(target: Target, checkpoint: Checkpoint) -> Target:
    label = f"{target.run} newest, step {checkpoint.step} now"
    return replace(target, kind="newest", label=label, weights=checkpoint.path, step=checkpoint.step)
