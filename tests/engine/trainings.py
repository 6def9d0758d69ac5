"""Trainings in this process, and what they logged."""

from pathlib import Path
from typing import Any

from workbench.engine.commands import Commands
from workbench.engine.train import Ending, train
from workbench.project.store import open_project
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, create_run


def new_run(folder: Path, **overrides: Any) -> Run:
    return create_run(open_project(folder, None, overrides), ["test"], {}, "the run's template")


def go(run: Run, commands: Commands | None = None) -> Ending:
    events = EventWriter(run.events)
    return train(run, events, commands or Commands(run, events))


def events(run: Run, *kinds: str) -> list[dict[str, Any]]:
    read = EventTail(run.events).read(max_records=100_000, max_seconds=60)
    return [event for event in read if event["kind"] in kinds]


def column(run: Run, name: str, kind: str = "step") -> list[Any]:
    return [event[name] for event in events(run, kind)]
