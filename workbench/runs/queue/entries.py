"""What waits in a project's queue, and what became of it."""

import re
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import fault
from workbench.project.files import write_atomic
from workbench.project.store import OpenProject
from workbench.runs.events import Event
from workbench.runs.folder import RUNS, Run
from workbench.runs.lock import is_held
from workbench.runs.queue.journal import read_journal
from workbench.runs.status import State, read_status


@dataclass(frozen=True)
class Queue:
    """The places of a project's queue; nothing is read until it is asked for."""

    project_folder: Path

    @property
    def folder(self) -> Path:
        """Beside `runs/`."""
        return self.project_folder / "queue"

    @property
    def id(self) -> str:
        """What errors call it."""
        return f"the queue of {self.project_folder.name}"

    @property
    def entries(self) -> Path:
        """`N.json` each; lower numbers first."""
        return self.folder / "entries"

    @property
    def journal(self) -> Path:
        """What the worker did, one JSON object a line."""
        return self.folder / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the worker."""
        return self.folder / "lock"

    @property
    def console(self) -> Path:
        """The worker's own output."""
        return self.folder / "console.log"

    @property
    def stop(self) -> Path:
        """While it exists the worker begins nothing new."""
        return self.folder / "stop"


class Entry(BaseModel):
    """One run to come.

    Attributes:
        number: its place; also the name of its file.
        created: in seconds since 1970.
        profile, overrides: laid over project.toml when its turn comes.
        sweep: the sweep it belongs to; empty when it stands alone.
        rung: how often its sweep has halved before it.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    v: Literal[1] = 1
    number: int
    created: float
    profile: str | None = None
    overrides: dict[str, Any] = {}
    sweep: str = ""
    rung: int = 0


class Turn(Enum):
    """Where an entry stands."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Place:
    """An entry with what became of it: `run` once it was launched, `reason` where it did not finish."""

    entry: Entry
    turn: Turn
    run: Run | None = None
    reason: str = ""

    @property
    def settings(self) -> str:
        """What is laid over project.toml, as on the command line; empty for nothing."""
        profile = [f"--profile {self.entry.profile}"] if self.entry.profile else []
        return " ".join(profile + [f"{key}={value}" for key, value in self.entry.overrides.items()])


def enqueue(project: OpenProject, *, sweep: str = "", rung: int = 0) -> Entry:
    """Put a run of `project`, with its profile and overrides, at the end of its queue.

    Raises:
        WorkbenchError: the folder cannot be written.
    """
    queue = Queue(project.folder)
    try:
        queue.entries.mkdir(parents=True, exist_ok=True)
        # One taken out while its run was being prepared is in the journal alone
        number = max((*_numbers(queue), *read_journal(queue.journal).entries), default=0) + 1
        while True:
            file = _file(queue, number)
            try:
                file.touch(exist_ok=False)  # two who enqueue at once get two numbers
                break
            except FileExistsError:
                number += 1
    except OSError as error:
        raise fault(f"cannot be written: {error.strerror or error}", queue.entries) from error
    entry = Entry(
        number=number,
        created=time.time(),
        profile=project.profile,
        overrides=project.overrides,
        sweep=sweep,
        rung=rung,
    )
    write_atomic(file, entry.model_dump_json(indent=2) + "\n")
    return entry


def remove(queue: Queue, number: int) -> None:
    """Take out an entry that still waits.

    Raises:
        WorkbenchError: there is no such entry, or its turn has come already.
    """
    place = next((place for place in read_queue(queue) if place.entry.number == number), None)
    if place is None:
        raise fault(f"no entry {number}", queue.id, "workbench queue PROJECT lists them")
    if place.turn is not Turn.WAITING:
        raise fault(f"entry {number} does not wait any more: it is {place.turn.value}", queue.id)
    _file(queue, number).unlink(missing_ok=True)


def read_queue(queue: Queue) -> list[Place]:
    """Every entry in its order, with what became of it by now."""
    told = read_journal(queue.journal).entries
    entries = (_read(queue, number) for number in sorted(_numbers(queue)))
    return [_place(queue, entry, told.get(entry.number, {})) for entry in entries if entry is not None]


def is_working(queue: Queue) -> bool:
    """Whether a living process works the queue off."""
    return is_held(queue)


def _place(queue: Queue, entry: Entry, event: Event) -> Place:
    reason = str(event.get("reason") or "")
    name = event.get("run")
    run = Run(queue.project_folder / RUNS / name) if isinstance(name, str) else None
    match event.get("kind"):
        case "refused":
            return Place(entry, Turn.REFUSED, None, reason)
        case "ended":
            return Place(entry, Turn(event["state"]), run, reason)
        case "launched" if run is not None:
            status = read_status(run)
            if status.going or status.state is State.QUEUED:  # paused by hand as well
                return Place(entry, Turn.RUNNING, run)
            if status.state in (State.FINISHED, State.STOPPED, State.FAILED):
                return Place(entry, Turn(status.state.value), run, status.reason)
            return Place(entry, Turn.INTERRUPTED, run, status.reason)
    return Place(entry, Turn.WAITING)


def _file(queue: Queue, number: int) -> Path:
    return queue.entries / f"{number}.json"


def _numbers(queue: Queue) -> list[int]:
    try:
        names = [path.name for path in queue.entries.iterdir()]
    except OSError:
        return []
    return [int(match[1]) for name in names if (match := re.fullmatch(r"(\d+)\.json", name))]


def _read(queue: Queue, number: int) -> Entry | None:
    """None for an entry that is being written, or was taken out meanwhile."""
    try:
        return Entry.model_validate_json(_file(queue, number).read_bytes())
    except (OSError, ValidationError):
        return None
