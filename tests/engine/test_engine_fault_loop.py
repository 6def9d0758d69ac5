"""A real training, killed at every file it makes, renames or removes: it goes on as if nothing had been."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forked import exit_code

from workbench.engine.commands import Commands
from workbench.engine.train import Ending, train
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints, verify
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.status import read_status

pytestmark = pytest.mark.slow

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def go(run: Run) -> Ending:
    events = EventWriter(run.events)
    return train(run, events, Commands(run, events))


def in_child(run: Run, kill_at: int | None) -> int:
    """Train in a fork that dies before its `kill_at`-th change to the run folder; its exit code."""

    def work() -> int:
        if kill_at is not None:
            sys.addaudithook(killer(str(run.folder), kill_at))
        return 0 if go(run).state == "finished" else 3

    return exit_code(work, run.console)


def killer(folder: str, kill_at: int) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that ends this process without a word before change `kill_at` of `folder`."""
    left = kill_at

    def changes(event: str, arguments: tuple[Any, ...]) -> bool:
        if not arguments or not str(arguments[0]).startswith(folder):
            return False
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            return bool(flags & WRITES) if mode is None else any(letter in mode for letter in "wax+")
        if event in ("os.mkdir", "shutil.rmtree"):  # often of what is there, or is not
            return (event == "os.mkdir") != os.path.exists(arguments[0])
        return event in ("os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if changes(event, arguments):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def losses(run: Run) -> dict[int, float]:
    """Training loss by step; a step that was repeated counts as it was taken last."""
    events = EventTail(run.events).read(max_records=100_000, max_seconds=60)
    return {event["step"]: event["loss"] for event in events if event["kind"] == "step"}


def test_killed_at_every_change_of_its_folder_a_run_ends_with_the_same_losses(
    make_project: Callable[..., Path],
) -> None:
    folder = make_project(max_steps=2, save_steps=1, save_total_limit=1, dropout=0.1, data={"validation": 0})
    project = open_project(folder)
    reference = create_run(project, ["test"], {}, "template")
    assert go(reference).state == "finished"
    expected = losses(reference)
    assert sorted(expected) == [1, 2]

    resumed: list[tuple[int, ...]] = []
    for kill_at in range(200):
        run = create_run(project, ["test"], {}, "template")
        code = in_child(run, kill_at)
        left = list_checkpoints(run)
        for checkpoint in left:
            verify(checkpoint)
        taken = max(losses(run), default=0)
        # Who has taken a step has one finished save behind it, or is in the first
        assert taken < 2 or left, f"killed at {kill_at}: the last good checkpoint is gone"
        if code == 0:
            break
        assert code == -signal.SIGKILL, run.console.read_text()
        resumed.append(tuple(checkpoint.step for checkpoint in left))
        assert in_child(run, None) == 0, f"killed at {kill_at}\n{run.console.read_text()[-3000:]}"
        assert losses(run) == expected, f"killed at {kill_at}"
        assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [2]
        assert not list(run.checkpoints.glob(".*")), f"killed at {kill_at}"
        assert read_status(run).step == 2
        shutil.rmtree(run.folder)
    else:
        pytest.fail("the child never got through")
    assert len(resumed) > 20 and {(), (1,), (1, 2), (2,)} == set(resumed)
