"""Whom one can talk to: the base model, and every complete checkpoint of every run."""

from pathlib import Path

from workbench.chat.protocol import Target
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject
from workbench.prompts.contract import contract_of, tokenizer_fingerprint
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run, list_runs, read_spec

__all__ = ["Target", "remarks", "targets"]


def targets(project: OpenProject) -> list[Target]:
    """The base model first, then the checkpoints: newest run first, newest checkpoint first.

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


def remarks(target: Target, project: OpenProject) -> list[str]:
    """What a person should know before talking to a checkpoint: where its prompts are not the project's of
    now, and where its tokenizer is not the one of its run. Reads tokenizer files.

    Raises WorkbenchError when the run's spec cannot be read.
    """
    if target.weights is None:
        return []
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
            "this chat uses the run's"
        )
    if (target.weights / "tokenizer.json").is_file() and trained.tokenizer not in (
        "",
        tokenizer_fingerprint(target.weights),
    ):
        said.append(f"the tokenizer files of {target.label} are not those that its run was trained with")
    return said


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
    )


def _checkpoints(run: Run, project_folder: Path) -> list[Target]:
    checkpoints = sorted(list_checkpoints(run), key=lambda checkpoint: checkpoint.step, reverse=True)
    if not checkpoints:
        return []
    spec = read_spec(run)
    return [
        Target(
            kind="checkpoint",
            label=f"{run.id} step {checkpoint.step}{' (best)' if checkpoint.best else ''}",
            base=spec.base_model.here,
            project_folder=project_folder,
            template=spec.template.name,
            template_source=spec.template.source,
            prompt=spec.project.prompt,
            quantization=spec.project.model.quantization,
            weights=checkpoint.path,
            run=run.id,
            step=checkpoint.step,
            base_fingerprint=spec.fingerprints.get("base_model", ""),
        )
        for checkpoint in checkpoints
    ]
