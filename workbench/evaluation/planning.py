"""A plan made of a project: which models, written how, answering with what settings."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from workbench.chat.protocol import Target
from workbench.chat.targets import targets
from workbench.errors import WorkbenchError, fault
from workbench.evaluation.lexicon import named_lexicon
from workbench.evaluation.plan import Contestant, Plan
from workbench.project.base_model import locate, reads_as_hub_id
from workbench.project.evaluation import Decoding
from workbench.project.paths import expanded
from workbench.project.store import OpenProject
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer
from workbench.prompts.variants import variants
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run, list_runs, require_own

Kind = Literal["models", "templates", "bases", "sampling"]
CHECKPOINTS = ("all", "best", "newest")
"""Which checkpoints of a run, beside the number of a step."""


def make_plan(
    project: OpenProject,
    kind: Kind = "models",
    *,
    runs: Sequence[Run] = (),
    checkpoints: str = "all",
    bases: Sequence[str] = (),
    decodings: Mapping[str, Decoding] | None = None,
    device: Literal["auto", "cpu"] = "auto",
    command: Sequence[str] = (),
) -> Plan:
    """What an evaluation of `project` compares.

    Args:
        project: with profile and overrides laid in.
        kind: `models`: the base model, once more with examples before its prompts where `prompt.few_shot`
            asks for some, and checkpoints; `templates`: the base model with the project's template and its
            variants; `bases`: several base models; `sampling`: the last of the chosen checkpoints, or the
            base model where there is none, with several settings of decoding.
        runs: whose checkpoints; the newest run that has any, without one.
        checkpoints: `all`, `best`, `newest`, or a step.
        bases: further base models, as `model.base`: folders of merged models, for example.
        decodings: for `sampling`: settings by the name that tells them apart.
        device: the processor only where it is asked for.
        command: how it was asked for.

    Raises:
        WorkbenchError: there is nothing to compare, no such checkpoint, no row to score, or no classifier.
    """
    settings = project.settings.evaluation
    base = targets(project)[0]
    match kind:
        case "models":
            chosen = list(_checkpoints(project, runs, checkpoints))
            contestants = [*_base_model(project, base), *_named(chosen), *_bases(base, bases)]
        case "templates":
            contestants = list(_templates(project, base))
        case "bases":
            contestants = [Contestant(name=base.base, target=base), *_bases(base, bases)]
        case "sampling":
            model = [base, *_checkpoints(project, runs, checkpoints)][-1]
            contestants = [
                Contestant(name=name, target=model, decoding=decoding)
                for name, decoding in (decodings or {}).items()
            ]
            # The same weights are as sure of the references whatever the sampling
            settings = settings.model_copy(update={"perplexity": "off"})
    _require_different(kind, contestants)
    if settings.perplexity == "off" and not settings.answers:
        raise fault("nothing would be measured", "evaluation", "set perplexity or answers")
    _require_classifier(project)
    created = time.time()
    return Plan(
        id=f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(created))}-{kind}",
        created=created,
        kind=kind,
        side=side_of(project),
        contestants=[_with_template(each) for each in contestants],
        settings=settings,
        data=project.settings.data,
        device=device,
        profile=project.profile,
        overrides=project.overrides,
        command=list(command),
    )


def side_of(project: OpenProject) -> Literal["train", "validation", "test"]:
    """The rows that `evaluation.rows` means. Raises WorkbenchError: auto, and nothing is held out."""
    asked, data = project.settings.evaluation.rows, project.settings.data
    if asked != "auto":
        return asked
    splits = {source.split for source in data.source}
    if "test" in splits:
        return "test"
    if "validation" in splits or data.validation:
        return "validation"
    raise fault(
        "no row is held out to evaluate on",
        "data.validation",
        'raise it, give a source split = "test", or set evaluation.rows to train',
    )


def _require_classifier(project: OpenProject) -> None:
    """It labels when all else is done: hours later would be late to say that it is not there."""
    name = project.settings.evaluation.classifier
    if not name or named_lexicon(name, project.folder) or reads_as_hub_id(name):
        return
    folder = project.folder / expanded(name)
    if not folder.is_dir():
        what = f"no classifier {name!r}: no such folder, and not a hub id"
        raise fault(what, "evaluation.classifier", f"looked in {folder}; `lexicon` is the built-in one")


def _base_model(project: OpenProject, base: Target) -> Iterator[Contestant]:
    yield Contestant(name="base", target=base)
    if count := project.settings.prompt.few_shot.count:
        name = f"base, {count} example{'s' if count > 1 else ''}"
        repeats = project.settings.evaluation.few_shot_repeats
        yield Contestant(name=name, target=base, shots=count, repeats=repeats)


def _checkpoints(project: OpenProject, runs: Sequence[Run], choice: str) -> Iterator[Target]:
    """The chosen checkpoints, the oldest of a run first."""
    if choice not in CHECKPOINTS and not choice.isdecimal():
        raise fault(f"no such choice of checkpoints: {choice}", hint=f"{', '.join(CHECKPOINTS)}, or a step")
    for run in runs:
        require_own(run, project.folder)
    known: dict[str, list[Target]] = {}
    for target in targets(project):
        if target.kind == "checkpoint" and target.run is not None:
            known.setdefault(target.run, []).insert(0, target)
    chosen = list(runs) or [run for run in list_runs(project.folder) if run.id in known][:1]
    for run in chosen:
        if run.id not in known:
            raise fault(
                "this run has no checkpoint", run.id, "a checkpoint is written every training.save_steps"
            )
        found = [target for target in known[run.id] if _is_meant(run, target, choice, known[run.id])]
        if not found:
            steps = ", ".join(str(target.step) for target in known[run.id])
            raise fault(f"no checkpoint of step {choice}", run.id, f"there are: {steps}")
        yield from found


def _is_meant(run: Run, target: Target, choice: str, others: Sequence[Target]) -> bool:
    match choice:
        case "all":
            return True
        case "newest":
            return target is others[-1]
        case "best":
            # Without a validation no step is the best one: the newest stands in for it
            best = {checkpoint.step for checkpoint in list_checkpoints(run) if checkpoint.best}
            return target.step in best if best else target is others[-1]
    return target.step == int(choice)


def _with_template(contestant: Contestant) -> Contestant:
    """A resume must write prompts as they were begun, whatever the project's template says by then. One that
    is missing or broken, or of a base model that is not fetched yet, is read when its turn comes.
    """
    target = contestant.target
    if target.template_source is not None:
        return contestant
    tokenizer = None
    try:
        if target.template == "base":
            tokenizer = load_tokenizer(locate(target.base, target.project_folder, weights=False).folder)
        source = load_template(target.template, target.project_folder, tokenizer, target.prompt).source
    except WorkbenchError:
        return contestant
    return contestant.model_copy(update={"target": replace(target, template_source=source)})


def _named(chosen: Sequence[Target]) -> list[Contestant]:
    """Steps alone where they are all of one run."""
    several = len({target.run for target in chosen}) > 1
    return [
        Contestant(
            name=f"{target.run} step {target.step}" if several else f"step {target.step}", target=target
        )
        for target in chosen
    ]


def _bases(base: Target, names: Sequence[str]) -> list[Contestant]:
    return [
        Contestant(name=name, target=replace(base, base=name, label=f"base model {name}")) for name in names
    ]


def _templates(project: OpenProject, base: Target) -> Iterator[Contestant]:
    for variant in variants(project):
        changed: dict[str, Any] = {"template": variant.template}
        if variant.system is not None:
            changed["system"] = variant.system
        prompt = base.prompt.model_copy(update=changed)
        target = replace(
            base, template=variant.template, prompt=prompt, label=f"{base.label}, {variant.name}"
        )
        yield Contestant(name=variant.name, target=target)


def _require_different(kind: Kind, contestants: Sequence[Contestant]) -> None:
    names = [contestant.name for contestant in contestants]
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise fault(f"named twice: {twice[0]}", hint="each is compared once")
    if len(contestants) < 2 and kind != "models":
        hints = {
            "templates": "add a [[prompt.variant]] to project.toml",
            "bases": "name another base model",
            "sampling": "name settings that differ",
        }
        raise fault("there is nothing to compare", hint=hints[kind])
