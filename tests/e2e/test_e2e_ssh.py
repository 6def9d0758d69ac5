"""Through a real SSH connection that breaks: the run goes on, and the next login finds it with its curve."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from sshd import WHY_NOT, Sshd, missing
from terminal import WORKBENCH, Terminal
from waiting import command_lines, screens, until

from workbench.runs.control import stop_now
from workbench.runs.folder import list_runs
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import read_status

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "projects" / "tea-house"

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
    pytest.mark.skipif(missing(), reason=WHY_NOT),
    pytest.mark.timeout(600),
]


def test_a_broken_connection_leaves_the_run_and_the_next_one_finds_it(tmp_path: Path) -> None:
    project = tmp_path / "tea-house"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("runs", "chats"))
    file = project / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("max_steps = 120", "max_steps = 100000"), "utf-8"
    )
    remote = ["env", "OMP_NUM_THREADS=1", f"PYTHONPATH={ROOT}", *WORKBENCH, str(project)]
    with Sshd(tmp_path / "sshd") as server:
        command = server.client(*remote)
        try:
            with Terminal(command, tmp_path, term="xterm-256color") as terminal:
                terminal.wait("240 kept")
                terminal.keys("4")
                terminal.wait("No run yet")
                terminal.keys("t")
                terminal.wait("Start a run in the background?")
                terminal.keys("y")
                terminal.wait("● running")
                terminal.wait("tok/s", seconds=120)
                (run,) = list_runs(project)
                trainer = holder_pid(run)
                assert len(screens(project)) == 1
                (client,) = [pid for pid, words in command_lines().items() if words[:-1] == command]
                os.kill(client, signal.SIGKILL)
                terminal.wait_for_the_end()
            until(lambda: not screens(project), "end of the screen")
            before = read_status(run).step
            until(lambda: read_status(run).step > before + 5, "steps without a connection")
            with Terminal(command, tmp_path, term="xterm-256color") as terminal:
                terminal.wait(
                    lambda text: all(part in text for part in ("[4 Train]", "● running", "tok/s", "training"))
                )
                terminal.wait(
                    lambda text: any("\u2800" < sign <= "\u28ff" for sign in text)
                )  # its curve, in braille dots
                assert holder_pid(run) == trainer
                terminal.keys("q")
                terminal.wait_for_the_end()
            assert is_held(run)
        finally:
            for run in list_runs(project):
                if is_held(run):
                    stop_now(run, grace=0)
