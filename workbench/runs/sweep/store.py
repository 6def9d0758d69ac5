"""A sweep on disk, `queue/sweeps/ID.json`, and what its runs came to."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import WorkbenchError, fault
from workbench.project.files import write_atomic
from workbench.project.store import OpenProject
from workbench.runs.compare import settings_of
from workbench.runs.folder import read_spec
from workbench.runs.queue.entries import Place, Queue, Turn, enqueue, read_queue
from workbench.runs.status import read_status

STEPS = "training.max_steps"
"""What halving sets anew for each rung."""


class Halving(BaseModel):
    """Successive halving: all begin with few steps, the best `1 / factor` go on with `factor` times as many.

    Source: Jamieson & Talwalkar 2016, arXiv 1502.07943. Each rung trains anew: a schedule that ends at
    another step is another schedule.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    steps: int
    factor: int = 3


class Sweep(BaseModel):
    """What was tried.

    Attributes:
        id: when it was made.
        keys: the settings that differ.
        runs: how many combinations.
        moves_validation: settings among them that change what is measured.
        rungs: how often it has halved, with all runs of that rung put in.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    v: Literal[1] = 1
    id: str
    created: float
    keys: list[str]
    runs: int
    halving: Halving | None = None
    moves_validation: list[str] = []
    rungs: int = 0


@dataclass(frozen=True)
class Result:
    """One run of a sweep.

    Attributes:
        place: its place in the queue.
        choice: the settings that differ, with their values.
        loss: lowest validation loss; NaN before the first.
        step: the step of that loss.
    """

    place: Place
    choice: dict[str, Any]
    loss: float
    step: int | None


def enqueue_sweep(
    projects: Sequence[OpenProject],
    keys: Sequence[str],
    *,
    halving: Halving | None = None,
    moves_validation: Sequence[str] = (),
) -> Sweep:
    """Put a sweep's runs into the queue of their project.

    Args:
        projects: one for each run, at least one; all of one folder.
        keys: the settings that differ.
        halving: where only the best go on.
        moves_validation: settings among `keys` that change what is measured.

    Raises:
        WorkbenchError: nothing to try, no validation rows to judge by, or the folder cannot be written.
    """
    if not projects:
        raise fault("nothing to try", hint="--vary KEY=A,B")
    if projects[0].settings.data.validation == 0 and not _has_own_validation(projects[0]):
        raise fault("no validation rows to judge a sweep by", "data.validation", "hold out some rows")
    queue = Queue(projects[0].folder)
    created = time.time()
    sweep = Sweep(
        id=_new_id(_folder(queue), time.strftime("%Y%m%d-%H%M%S", time.localtime(created))),
        created=created,
        keys=list(keys),
        runs=len(projects),
        halving=halving,
        moves_validation=list(moves_validation),
    )
    write_sweep(queue, sweep)
    for project in projects:
        enqueue(project, sweep=sweep.id)
    return sweep


def write_sweep(queue: Queue, sweep: Sweep) -> None:
    """Keep what is known of it.

    Raises:
        WorkbenchError: the folder cannot be written.
    """
    write_atomic(_folder(queue) / f"{sweep.id}.json", sweep.model_dump_json(indent=2) + "\n")


def list_sweeps(queue: Queue) -> list[Sweep]:
    """Newest first; files that are no sweep are passed over."""
    try:
        files = list(_folder(queue).glob("*.json"))
    except OSError:
        return []
    known = [sweep for file in files if (sweep := _read(file)) is not None]
    return sorted(known, key=lambda sweep: sweep.created, reverse=True)


def find_sweep(queue: Queue, id: str = "") -> Sweep:
    """The sweep of this id, or the newest.

    Raises:
        WorkbenchError: there is none.
    """
    known = list_sweeps(queue)
    found = [sweep for sweep in known if sweep.id == id or not id]
    if not found:
        hint = (
            f"sweeps here: {', '.join(sweep.id for sweep in known)}" if known else "--vary KEY=A,B makes one"
        )
        raise fault(f"no sweep {id}" if id else "no sweep yet", queue.id, hint)
    return found[0]


def results(queue: Queue, sweep: Sweep) -> list[Result]:
    """Its runs, the lowest validation loss first; among equal losses, and without one, in their order."""
    found = [_result(place, sweep.keys) for place in read_queue(queue) if place.entry.sweep == sweep.id]
    return sorted(
        found, key=lambda each: (math.isnan(each.loss), each.loss if each.loss == each.loss else 0.0)
    )


def is_over(places: Sequence[Place]) -> bool:
    """Whether no run of these is still to come."""
    return all(place.turn not in (Turn.WAITING, Turn.RUNNING, Turn.INTERRUPTED) for place in places)


def _result(place: Place, keys: Sequence[str]) -> Result:
    choice = {key: place.entry.overrides.get(key) for key in keys}
    if place.run is None:
        return Result(place, choice, math.nan, None)
    status = read_status(place.run)
    return Result(place, choice, math.nan if status.best_loss is None else status.best_loss, status.best_step)


def changed_meanwhile(sweep: Sweep, found: Sequence[Result]) -> list[str]:
    """What differs between its runs and was not varied: project.toml or the data were changed on the way.

    Settings by dotted key, and `fingerprint of data` and the like.

    Raises:
        WorkbenchError: the spec of a run cannot be read.
    """
    told = [settings_of(read_spec(each.place.run)) for each in found if each.place.run is not None]
    return [
        key
        for key in dict.fromkeys(key for settings in told for key in settings)
        if not _varies(sweep, key) and len({json.dumps(settings.get(key)) for settings in told}) > 1
    ]


def _varies(sweep: Sweep, key: str) -> bool:
    if sweep.halving is not None and key == STEPS:
        return True
    if key.startswith("fingerprint of "):
        adapter = key.endswith("adapter") and "training.continue_from" in sweep.keys
        return adapter or bool(sweep.moves_validation)
    return any(key == each or key.startswith((f"{each}.", f"{each}[")) for each in sweep.keys)


def _folder(queue: Queue) -> Path:
    return queue.folder / "sweeps"


def _new_id(folder: Path, wanted: str) -> str:
    """Two sweeps of the same second get two names: making the file either succeeds or says it is there."""
    number, id = 1, wanted
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                (folder / f"{id}.json").touch(exist_ok=False)
                return id
            except FileExistsError:
                number += 1
                id = f"{wanted}-{number}"
    except OSError as error:
        raise fault(f"cannot be written: {error.strerror or error}", folder) from error


def _has_own_validation(project: OpenProject) -> bool:
    return any(source.split == "validation" for source in project.settings.data.source)


def _read(file: Path) -> Sweep | None:
    try:
        return Sweep.model_validate_json(file.read_bytes())
    except (OSError, ValidationError, WorkbenchError):
        return None
