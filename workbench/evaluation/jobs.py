"""Evaluations as jobs: begun in the background, so that they outlive the screen; resumed, stopped, listed."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from workbench.chat.protocol import Target
from workbench.errors import WorkbenchError, fault
from workbench.evaluation.folder import EVALUATIONS, Evaluation
from workbench.evaluation.plan import Plan
from workbench.evaluation.room import remarks, require_room
from workbench.evaluation.status import read_status
from workbench.project.files import make_folder, write_atomic
from workbench.project.store import OpenProject
from workbench.runs import control, lock
from workbench.runs.events import EventWriter
from workbench.runs.spawn import spawn
from workbench.runs.status import State

EVALUATOR = "workbench.engine.evaluate_job"

Argv = Callable[[Evaluation], list[str]]
"""Makes the command that works an evaluation off."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One evaluation of a project; `problem` says why there is no plan."""

    evaluation: Evaluation
    plan: Plan | None
    problem: str = ""


def evaluator_argv(evaluation: Evaluation) -> list[str]:
    """The command that works `evaluation` off in this Python."""
    return [sys.executable, "-m", EVALUATOR, str(evaluation.folder)]


def start(project: OpenProject, plan: Plan, argv: Argv = evaluator_argv) -> Evaluation:
    """Write `plan` into a folder of its own and begin it in the background.

    Raises:
        WorkbenchError: the GPU has no room for its largest model and the plan does not ask for the processor,
            a base model is missing, or nothing can be written or started.
    """
    require_room(project, plan)
    evaluation = _new_folder(project.folder / EVALUATIONS, plan.id)
    plan = plan.model_copy(update={"id": evaluation.id})
    # Last: a folder without it is no evaluation yet
    write_atomic(evaluation.plan, plan.model_dump_json(indent=2) + "\n")
    _launch(evaluation, argv, remarks(project, plan))
    return evaluation


def resume(evaluation: Evaluation, argv: Argv = evaluator_argv) -> None:
    """Go on with one that was stopped or killed, failed, or left something out: what is measured stays.

    Raises:
        WorkbenchError: it is going on, it is finished, or it cannot be started.
    """
    read_plan(evaluation)
    status = read_status(evaluation)
    if status.state is State.FINISHED and not status.skipped:
        raise fault("this evaluation is finished", evaluation.id, "start a new one")
    _launch(evaluation, argv, [])


def stop(evaluation: Evaluation) -> None:
    """Ask it to end after the batch that it is at; what is measured stays, and `resume` goes on from there.

    Raises:
        WorkbenchError: it is not going on, or the disk does not take the command.
    """
    _require_going(evaluation)
    control.ask(evaluation, "stop", "")


def list_evaluations(project_folder: Path) -> list[Listed]:
    """The evaluations of a project, newest first; a broken one is there too, with what is wrong with it."""
    try:
        folders = [Evaluation(folder) for folder in (project_folder / EVALUATIONS).iterdir()]
    except OSError:
        return []
    found = []
    for evaluation in folders:
        if not os.path.isfile(evaluation.plan):
            continue
        try:
            found.append(Listed(evaluation, read_plan(evaluation)))
        except WorkbenchError as error:
            found.append(Listed(evaluation, None, str(error)))
    return sorted(found, key=_age, reverse=True)


def read_plan(evaluation: Evaluation) -> Plan:
    """What is compared, with the places of models as they are now: a project may have been moved.

    Raises WorkbenchError: plan.json is missing, broken or of a newer format.
    """
    try:
        plan = Plan.model_validate_json(evaluation.plan.read_bytes())
        here = evaluation.folder.absolute().parents[1]
        moved = [each.model_copy(update={"target": _moved(each.target, here)}) for each in plan.contestants]
        return plan.model_copy(update={"contestants": moved})
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", evaluation.plan) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        if key == "v":
            raise fault("of a newer workbench", evaluation.plan, "a newer workbench reads it") from None
        raise fault(f"not a plan: {first['msg']}", f"{evaluation.plan}: {key}") from None


def _moved(target: Target, here: Path) -> Target:
    weights = target.weights
    if weights is not None and weights.is_relative_to(target.project_folder):
        weights = here / weights.relative_to(target.project_folder)
    return replace(target, project_folder=here, weights=weights)


def _age(listed: Listed) -> tuple[float, str]:
    """By what the plan says; of a broken one the file's time must do."""
    if listed.plan is not None:
        return listed.plan.created, listed.evaluation.id
    with suppress(OSError):
        return listed.evaluation.plan.stat().st_mtime, listed.evaluation.id
    return 0.0, listed.evaluation.id


def _launch(evaluation: Evaluation, argv: Argv, warnings: list[str]) -> None:
    held = lock.hold(evaluation)
    try:
        control.clear(evaluation)
        events = EventWriter(evaluation.events)
        events.write("began")
        for message in warnings:
            events.write("warning", message=message)
        events.sync()
        events.close()
        command = argv(evaluation)
    except BaseException:
        os.close(held)
        raise
    spawn(evaluation, command, held)


def _new_folder(parent: Path, name: str) -> Evaluation:
    """Two that begin in the same second get two folders."""
    try:
        evaluation = Evaluation(make_folder(parent, name))
        evaluation.control.mkdir()
    except OSError as error:
        raise fault(f"cannot make a folder: {error.strerror or error}", parent) from error
    return evaluation


def _require_going(evaluation: Evaluation) -> None:
    if not lock.is_held(evaluation):
        raise fault(
            f"this evaluation is not going on: it is {read_status(evaluation).state.value}", evaluation.id
        )
