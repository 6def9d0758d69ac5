"""Runs written by hand, in any state."""

import os
from pathlib import Path
from typing import Any

from desk import make_project

from workbench.project.store import open_project
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.lock import hold


class Runs:
    """Runs written by hand, on one project."""

    def __init__(self, folder: Path) -> None:
        self.folder = make_project(folder)
        self.held: dict[Run, int] = {}

    def add(self, name: str, *, steps: int = 0, end: dict[str, Any] | None = None, held: bool = False) -> Run:
        created = create_run(open_project(self.folder), ["test"], {}, "the template")
        run = Run(created.folder.rename(created.folder.with_name(name)))
        if held:
            self.held[run] = hold(run)
        self.write(run, ("started", {"attempt": 1, "resumed_from": None, "total_steps": 50}))
        self.step(run, range(1, steps + 1))
        if end:
            self.write(run, ("ended", {"step": steps, "seconds": 1.0, **end}))
        return run

    def step(self, run: Run, numbers: range, **more: Any) -> None:
        self.write(
            run,
            *(
                ("step", {"step": n, "epoch": n / 10, "loss": 1 / n, "learning_rate": 1e-3, **more})
                for n in numbers
            ),
        )

    def write(self, run: Run, *events: tuple[str, dict[str, Any]]) -> None:
        writer = EventWriter(run.events)
        for kind, fields in events:
            writer.write(kind, **fields)
        writer.close()

    def let_go(self, run: Run) -> None:
        os.close(self.held.pop(run))

    def let_go_of_all(self) -> None:
        for run in list(self.held):
            self.let_go(run)
