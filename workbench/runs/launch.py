"""Starting and resuming runs: check, write down what is started, then let go of it."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workbench.data.files.rows import Progress
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.gpus import count_gpus
from workbench.project.store import OpenProject
from workbench.prompts.fingerprint import base_model_fingerprint, fingerprints
from workbench.prompts.survey.survey import survey
from workbench.runs import control, preflight
from workbench.runs.continuing import adapter_fingerprint, differences, find_adapter
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run, read_spec, require_own
from workbench.runs.lock import hold, is_held
from workbench.runs.slurm import require_slurm, submit, waiting_job
from workbench.runs.spawn import lingers, logout_kills, spawn, trainer_argv
from workbench.runs.spec import Spec
from workbench.runs.status import State, last_word

NAMES = {
    "data": "data",
    "template": "chat template",
    "tokenizer": "tokenizer",
    "base_model": "base model",
    "adapter": "adapter to go on from",
}
"""Fingerprint to what a person calls it."""

FOLLOWED = {"launcher", "slurm_options"}
"""Of `[launch]`, what a resume takes as it is set by now: where it goes on, not with how many processes."""

Argv = Callable[[Run], list[str]]
HandOver = Callable[[Run, list[str]], object]
"""Starts a run, with warnings for its events."""


def start(
    project: OpenProject,
    *,
    resume: Run | None = None,
    argv: Argv = trainer_argv,
    progress: Progress | None = None,
    look: preflight.Look = survey,
    hand_over: HandOver | None = None,
) -> Run:
    """Train `project`, here or in a batch system, as a new run or as the next attempt of `resume`.

    A resumed run goes on with the settings it was started with, from its newest complete checkpoint, or from
    the beginning when it has none.

    Args:
        project: with profile and overrides laid in.
        resume: the run to go on with.
        argv: makes the command that trains a run; the command inherits the lock of the run.
        progress: told the share of the rows that was checked.
        look: how the rows are looked at, see `preflight.check`.
        hand_over: starts what was written down; without it, what `launch.launcher` says does.

    Raises:
        WorkbenchError: the project cannot be trained, the run is going on or finished, or what it was made
        from has changed since.
    """
    if hand_over is None and project.settings.launch.launcher == "slurm":
        require_slurm()
    if resume is not None:
        require_own(resume, project.folder)
        _require_resumable(resume)
    intended = _as_started(project, read_spec(resume)) if resume else counted(project)
    template_source = preflight.check(intended, progress, look)
    current = fingerprints(project)
    adapter = find_adapter(intended)
    if adapter:
        current["adapter"] = adapter_fingerprint(adapter)
    if resume is None:
        run = create_run(intended, sys.argv, current, template_source)
        warnings = differences(adapter, project) if adapter else []
    else:
        run, spec = resume, read_spec(resume)
        _require_same(run, spec, project, current)
        warnings = _other_settings(spec, project)
    settings = project.settings.launch
    if hand_over is not None:
        hand_over(run, warnings)
    elif settings.launcher == "slurm":
        submit(run, settings.slurm_options, warnings)
    else:
        launch(run, argv, warnings)
    return run


def launch(run: Run, argv: Argv = trainer_argv, warnings: list[str] | None = None) -> None:
    """Start the process of a run that was created; `warnings` go into its events.

    Raises:
        WorkbenchError: the run is going on or finished, or the process cannot be started.
    """
    held = hold(run)
    events = EventWriter(run.events)
    try:
        # Somebody else may have resumed and finished it since it was looked at
        _require_unfinished(run)
        control.clear(run)
        for message in warnings or []:
            events.write("warning", message=message)
        if logout_kills() and not lingers():
            message = (
                "this machine ends a user's processes at logout; `loginctl enable-linger` keeps the run going"
            )
            events.write("warning", message=message)
        # From here on an attempt that ends without a word counts as killed
        events.write("preparing", phase="starting", done=0, total=0)
        events.sync()
        command = argv(run)
        processes = read_spec(run).project.launch.processes
    except BaseException:
        os.close(held)
        events.close()
        raise
    try:
        spawn(run, command, held, processes)
    except WorkbenchError as error:
        events.write("ended", state="failed", step=None, reason=str(error))
        raise
    finally:
        events.close()


def counted(project: OpenProject) -> OpenProject:
    """`project` with the number of its processes where it was left to this machine.

    Raises:
        WorkbenchError: more processes than GPUs would be started here.
    """
    asked, gpus = project.settings.launch, count_gpus()
    processes = asked.processes or max(1, gpus)
    if asked.launcher == "local" and 0 < gpus < processes and processes > 1:
        what = f"{processes} processes, and this machine has {gpus} GPU{'s' if gpus > 1 else ''}"
        raise fault(what, "launch.processes", "each needs one of its own")
    launch = asked.model_copy(update={"processes": processes})
    return replace(project, settings=project.settings.model_copy(update={"launch": launch}))


def _require_resumable(run: Run) -> None:
    if is_held(run):
        raise fault("this run is going on", run.id, f"workbench watch {run.folder} follows it")
    if job := waiting_job(run):
        raise fault(
            f"this run waits in Slurm, as job {job}", run.id, f"workbench stop {run.folder} takes it back"
        )
    _require_unfinished(run)
    spec = read_spec(run)
    locate(spec.base_model.here, spec.project_folder, download=True)


def _as_started(project: OpenProject, spec: Spec) -> OpenProject:
    """The project with the [training] of its run, and with what was accepted when that was started."""
    settings = project.settings
    accept = [*settings.data.accept, *spec.project.data.accept]
    data = settings.data.model_copy(update={"accept": accept})
    update = {"data": data, "training": spec.project.training, "launch": spec.project.launch}
    return replace(project, settings=settings.model_copy(update=update))


def _require_unfinished(run: Run) -> None:
    ended = last_word(run)
    if ended.state is State.FINISHED:
        hint = "start a new run to train with other settings"
        done = ended.reason or f"all {ended.step} steps are done"
        raise fault(f"this run is finished: {done}", run.id, hint)
    if ended.state is State.IMPORTED:
        raise fault("this run was imported: it has no checkpoint to go on from", run.id, "start a new run")


def _require_same(run: Run, spec: Spec, project: OpenProject, current: Mapping[str, str]) -> None:
    """Refuse by name to go on with anything else than the run began with."""
    # Found by name it may be another one than the run had, and than the project's settings name by now
    base = base_model_fingerprint(locate(spec.base_model.here, spec.project_folder).folder)
    changed = [
        name
        for name, value in spec.fingerprints.items()
        if current.get(name) != value or (name == "base_model" and base != value)
    ]
    if not changed:
        return
    hint = "start a new run"
    if spec.profile != project.profile:
        profile = f"--profile {spec.profile}" if spec.profile else "no profile"
        hint += f", or resume with {profile} as it was started"
    elif _of_what_trains(spec.overrides) != _of_what_trains(project.overrides):
        given = " ".join(f"--set {key}={value}" for key, value in spec.overrides.items())
        hint += f", or resume with {given or 'no --set'} as it was started"
    what = [
        Problem(f"the {NAMES.get(name, name)} changed since the run was started", run.id) for name in changed
    ]
    raise WorkbenchError(*what, Problem("a run is only resumed with what it was started with", hint=hint))


def _of_what_trains(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the overrides that can change rows, prompts or the base model."""
    return {key: value for key, value in overrides.items() if key.startswith(("data.", "prompt.", "model."))}


def _other_settings(spec: Spec, project: OpenProject) -> list[str]:
    """What the project says otherwise by now, and the run does not follow."""
    told = []
    for table in ("training", "launch"):
        before, now = (getattr(each, table).model_dump() for each in (spec.project, project.settings))
        unlike = [key for key in before if key not in FOLLOWED and before[key] != now[key]]
        other = [f"{key} = {before[key]}, not {now[key]}" for key in unlike]
        if other:
            told.append(f"goes on with the [{table}] it was started with: {'; '.join(other)}")
    return told
