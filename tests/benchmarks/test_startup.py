"""Time from starting the process to the first real frame, beside an empty Textual app in the same run."""

import os
import pty
import select
import shutil
import statistics
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "projects" / "tea-house"
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready")
Empty().run()
"""
ROUNDS = 7
BOUND = 1.6


def seconds_until(text: bytes, command: list[str], folder: Path) -> float:
    """Seconds from fork to `text` on a pseudo-terminal of 80x24; the process is then ended."""
    begin = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = os.environ | {
            "TERM": "xterm-256color",
            "COLUMNS": "80",
            "LINES": "24",
            "PYTHONPATH": str(ROOT),
        }
        os.execve(command[0], command, environment)
    seen = b""
    try:
        while text not in seen:
            ready, _, _ = select.select([terminal], [], [], 30)
            assert ready, f"{text!r} never came; the screen got {seen[-500:]!r}"
            seen += os.read(terminal, 65536)
        return time.perf_counter() - begin
    finally:
        os.kill(pid, 9)
        os.close(terminal)
        os.waitpid(pid, 0)


@pytest.mark.benchmark
def test_first_frame_against_an_empty_app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "tea-house"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("runs", "chats"))
    ours_command = [sys.executable, "-m", "workbench", str(project)]
    empty, ours, rows = [], [], []
    for _ in range(ROUNDS):
        empty.append(seconds_until(b"ready", [sys.executable, "-c", EMPTY_APP], tmp_path))
        ours.append(seconds_until(b"tea-house", ours_command, tmp_path))
        rows.append(seconds_until(b"assistant", ours_command, tmp_path))
    empty_seconds, frame_seconds, rows_seconds = map(statistics.median, (empty, ours, rows))
    ratio = frame_seconds / empty_seconds
    with capsys.disabled():
        print(
            f"\nfirst frame {frame_seconds * 1000:.0f} ms, "
            f"empty Textual app {empty_seconds * 1000:.0f} ms: {ratio:.2f}"
            f"; the data pane after {rows_seconds * 1000:.0f} ms: {rows_seconds / empty_seconds:.2f}"
        )
    assert ratio < BOUND
