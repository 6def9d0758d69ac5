"""The screen is killed, the terminal goes away, the trainer is killed: each leaves the others true."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from terminal import WORKBENCH, Terminal

from workbench.runs.control import stop_now
from workbench.runs.folder import Run, list_runs
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import read_status

SAMPLE = Path(__file__).parents[2] / "projects" / "tea-house"

pytestmark = [pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"), pytest.mark.timeout(600)]


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.05)


def screen_pid(run: Run) -> int:
    """The process of the screen: whose command line is `python -m workbench PROJECT`."""
    project = str(run.folder.parents[1])
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if words[1:4] == ["-m", "workbench", project]:
                return int(process.name)
    raise AssertionError("no screen")


def test_a_run_outlives_the_screen_and_the_terminal_and_its_own_death_is_shown(tmp_path: Path) -> None:
    project = tmp_path / "tea-house"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("runs", "chats"))
    file = project / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("max_steps = 120", "max_steps = 100000"), "utf-8"
    )
    command = [*WORKBENCH, str(project)]
    try:
        with Terminal(command, tmp_path) as terminal:
            terminal.wait("kept")
            terminal.keys("4")
            terminal.wait("No run yet")
            terminal.keys("t")
            terminal.wait("Start a run in the background?")
            terminal.keys("y")
            until(lambda: bool(list_runs(project)), "run")
            (run,) = list_runs(project)
            until(lambda: read_status(run).step > 2, "steps")
            os.kill(screen_pid(run), signal.SIGKILL)
            terminal.wait_for_the_end()
            before = read_status(run).step
            until(lambda: read_status(run).step > before + 2, "steps after the kill of the screen")
        # The tmux server, and with it the terminal, is gone
        before = read_status(run).step
        until(lambda: read_status(run).step > before + 2, "steps without a terminal")
        with Terminal(command, tmp_path) as terminal:
            terminal.keys("4")
            terminal.wait("RUNNING")
            pid = holder_pid(run)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            terminal.wait(lambda screen: "RUNNING" not in screen and "killed" in screen)
    finally:
        for run in list_runs(project):
            if is_held(run):
                stop_now(run, grace=0)
