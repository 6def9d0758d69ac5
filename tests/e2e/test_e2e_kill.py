"""The screen is killed, the terminal goes away, the trainer is killed: each leaves the others true."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from terminal import WORKBENCH, Terminal
from waiting import screens, until

from workbench.runs.control import stop_now
from workbench.runs.folder import list_runs
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import read_status

SAMPLE = Path(__file__).parents[2] / "projects" / "tea-house"

pytestmark = [pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"), pytest.mark.timeout(600)]


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
            (screen,) = screens(project)
            os.kill(screen, signal.SIGKILL)
            terminal.wait_for_the_end()
            before = read_status(run).step
            until(lambda: read_status(run).step > before + 2, "steps after the kill of the screen")
        # The tmux server, and with it the terminal, is gone
        before = read_status(run).step
        until(lambda: read_status(run).step > before + 2, "steps without a terminal")
        with Terminal(command, tmp_path) as terminal:
            terminal.keys("4")
            terminal.wait("● running")
            pid = holder_pid(run)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            terminal.wait(lambda screen: "● running" not in screen and "killed" in screen)
    finally:
        for run in list_runs(project):
            if is_held(run):
                stop_now(run, grace=0)
