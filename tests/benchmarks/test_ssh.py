"""Bytes a second of the live train pane through a real SSH connection, while a run writes its steps."""

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from sshd import WHY_NOT, CountingProxy, Sshd, missing

from workbench.project.store import open_project
from workbench.runs.control import stop_now
from workbench.runs.launch import start
from workbench.runs.status import read_status

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "projects" / "tea-house"
SECONDS = 60
WAYS = {  # options of ssh, columns, rows, most bytes a second
    "compressed, 80x24": (("-C",), 80, 24, 8_000),
    "plain, 120x40": ((), 120, 40, 40_000),
}

pytestmark = [pytest.mark.benchmark, pytest.mark.skipif(missing(), reason=WHY_NOT), pytest.mark.timeout(900)]


class Client:
    """An ssh client in a pseudo-terminal of some size; what it shows is read and kept."""

    def __init__(self, command: list[str], columns: int, rows: int) -> None:
        self._terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True
        )
        os.close(other)
        self.seen = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while data := os.read(self._terminal, 65536):
                self.seen += data
        except OSError:  # the other end is closed
            pass

    def wait(self, text: bytes) -> None:
        end = time.monotonic() + 120
        while text not in self.seen:
            assert time.monotonic() < end and self._process.poll() is None, self.seen[-2000:]
            time.sleep(0.1)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.mark.parametrize("way", WAYS)
def test_the_live_view_over_ssh(way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options, columns, rows, most = WAYS[way]
    project = tmp_path / "tea-house"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns("runs", "chats"))
    run = start(open_project(project, overrides={"training.max_steps": 100_000}))
    words = [sys.executable, "-m", "workbench", str(project)]
    remote = ["env", f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=1", f"XDG_STATE_HOME={tmp_path}", *words]
    try:
        with Sshd(tmp_path / "sshd") as server:
            proxy = CountingProxy(server.port)
            client = Client(server.client(*remote, port=proxy.port, options=options), columns, rows)
            client.wait(b"tok/s")
            time.sleep(3)
            bytes_before, steps_before = proxy.received, read_status(run).step
            painted_before = len(client.seen)
            time.sleep(SECONDS)
            rate = (proxy.received - bytes_before) / SECONDS
            painted = (len(client.seen) - painted_before) / SECONDS
            steps = (read_status(run).step - steps_before) / SECONDS
            client.close()
            proxy.close()
    finally:
        stop_now(run, grace=0)
    with capsys.disabled():
        print(
            f"\nlive view over ssh, {way}: {rate / 1000:.1f} kB/s on the wire (goal: under {most / 1000:.0f})"
            f", {painted / 1000:.1f} kB/s painted, {steps:.1f} steps/s"
        )
    assert steps > 0.5, "the run has to move"
    assert rate < most
