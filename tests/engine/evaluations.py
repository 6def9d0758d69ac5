"""Evaluations in this process, and what they left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.engine.evaluation.batches import Stopped
from workbench.engine.evaluation.job import Job
from workbench.engine.evaluation.orders import Orders
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.jobs import read_plan, start
from workbench.evaluation.plan import Plan
from workbench.evaluation.planning import make_plan
from workbench.project.store import OpenProject, open_project
from workbench.runs.events import EventTail, EventWriter


def planned(folder: Path, **overrides: Any) -> tuple[OpenProject, Plan]:
    project = open_project(folder, None, {key.replace("__", "."): each for key, each in overrides.items()})
    return project, make_plan(project)


def begun(project: OpenProject, plan: Plan) -> Evaluation:
    """Its folder; the process that is started for it does nothing."""
    return start(project, plan, argv=lambda evaluation: ["true"])


def work(evaluation: Evaluation, heed: Callable[[], None] = lambda: None) -> str:
    """One attempt; returns what was left out."""
    events = EventWriter(evaluation.events)

    class Ordered(Orders):
        def heed(self) -> None:
            heed()

    try:
        return Job(evaluation, read_plan(evaluation), events, Ordered(evaluation, events)).run()
    finally:
        events.close()


class After:
    """Raises Stopped when it was asked so often."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __call__(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Stopped("asked to stop")


def events(evaluation: Evaluation, *kinds: str) -> list[dict[str, Any]]:
    read = EventTail(evaluation.events).read(max_records=100_000, max_seconds=60)
    return [event for event in read if event["kind"] in kinds]
