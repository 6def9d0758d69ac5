"""A small project of its own, the command line as a process, and runs by a stand-in trainer."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import ENVIRONMENT

from workbench.project.store import open_project
from workbench.runs import control
from workbench.runs.folder import Run
from workbench.runs.launch import start
from workbench.runs.lock import is_held

FAKE_TRAINER = Path(__file__).parents[1] / "runs" / "fake_trainer.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project named `small` with eight rows; the current folder is the one that holds it."""
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "small"
    project.mkdir()
    rows = [{"question": f"What is {i}?", "answer": f"It is number {i}."} for i in range(8)]
    (project / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (project / "project.toml").write_text(
        'format = 1\nname = "small"\n[data]\nvalidation = 2\n'
        '[[data.source]]\nkind = "fields"\npath = "rows.jsonl"\n'
        'user = ["{question}"]\nassistant = "{answer}"\n'
        "[training]\nmax_steps = 4\nsave_steps = 2\neval_steps = 2\nper_device_train_batch_size = 2\n"
        "[chat]\ntemperature = 0.0\nmax_new_tokens = 8\n"
    )
    return project


@pytest.fixture
def workbench(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python -m workbench ...` beside the project, as its user would."""

    def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workbench", *words],
            cwd=folder.parent,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )

    return run


@pytest.fixture
def fake_run(folder: Path) -> Iterator[Callable[..., Run]]:
    """Starts a run of the project by a trainer that learns nothing; see fake_trainer.py for its options."""
    started: list[Run] = []

    def begin(**options: Any) -> Run:
        def argv(run: Run) -> list[str]:
            return [sys.executable, str(FAKE_TRAINER), str(run.folder), json.dumps(options)]

        started.append(start(open_project(folder), argv=argv))
        return started[-1]

    yield begin
    for run in started:
        if is_held(run):
            control.stop_now(run, grace=0)
