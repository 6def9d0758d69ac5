"""Runs of a real project, trained by a stand-in that needs no torch."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from run_helpers import FAKE_TRAINER

from workbench.project.store import OpenProject, open_project
from workbench.runs import control
from workbench.runs.folder import Run, create_run
from workbench.runs.launch import Argv
from workbench.runs.lock import is_held


@pytest.fixture
def project(tmp_path: Path) -> OpenProject:
    """Four rows on the base model that comes along."""
    folder = tmp_path / "project"
    folder.mkdir()
    rows = [{"instruction": f"question {i}", "output": f"answer {i}"} for i in range(4)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "project.toml").write_text(
        'format = 1\nname = "small"\n[[data.source]]\nkind = "fields"\npath = "train.jsonl"\n'
        'user = ["{instruction}"]\n[profile.short]\ntraining.max_steps = 3\ndata.max_tokens = 512\n'
    )
    return open_project(folder)


@pytest.fixture
def run(project: OpenProject) -> Run:
    """A run that was created and not started."""
    return create_run(project, ["test"], {}, "the template")


@pytest.fixture
def trainer() -> Iterator[Callable[..., Argv]]:
    """Makes the command of a stand-in trainer; see fake_trainer.py for its options."""
    started: list[Run] = []

    def make(**options: Any) -> Argv:
        def argv(run: Run) -> list[str]:
            started.append(run)
            return [sys.executable, str(FAKE_TRAINER), str(run.folder), json.dumps(options)]

        return argv

    yield make
    for run in started:
        if is_held(run):
            control.stop_now(run, grace=0)
