"""The call when a run ends: what is written to which terminal, and for which runs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import make_project

from workbench.project.store import open_project
from workbench.runs.folder import Run, create_run
from workbench.runs.lock import hold
from workbench.runs.status import RunStatus, State
from workbench.ui.ending import RunWatch, call, told
from workbench.ui.workspace import Workspace

NOTICE = "\x1b]9;workbench: done\x1b\\"
WRAPPED = "\x1bPtmux;\x1b\x1b]9;workbench: done\x1b\x1b\\\x1b\\"


def tmux(version: str, passthrough: str) -> Callable[[list[str]], str]:
    return lambda command: f"{version}\n" if "display-message" in command else passthrough


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)


def test_outside_tmux_the_terminal_is_told() -> None:
    assert call("done") == "\a" + NOTICE


@pytest.mark.parametrize(
    ("version", "passthrough", "written"),
    [
        ("3.3a", "on\n", "\a" + WRAPPED),
        ("3.4", "all\n", "\a" + WRAPPED),
        ("3.3a", "off\n", "\a"),
        ("3.2a", "", "\a" + WRAPPED),
        ("next-3.6", "off\n", "\a"),
        ("", "", "\a"),
    ],
)
def test_inside_tmux_only_what_it_lets_through(
    monkeypatch: pytest.MonkeyPatch, version: str, passthrough: str, written: str
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/x,1,0")
    assert call("done", tmux(version, passthrough)) == written


def test_the_console_of_the_kernel_has_no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert call("done") == "\a"


def test_foreign_text_stays_text() -> None:
    written = call("failed: \x1b]52;c;AAAA\x07\x9c" + "x" * 1000)
    assert written.count("\x1b") == 2 and written.count("\a") == 1 and "\x9c" not in written
    assert len(written) < 250


def test_only_runs_that_were_seen_going_on(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    workspace = Workspace(open_project(folder))
    over, going = (create_run(open_project(folder), ["test"], {}, "") for _ in range(2))
    held = hold(going)
    watch = RunWatch()
    assert watch.look(workspace) == ([going], []) == watch.look(workspace)
    os.close(held)
    assert watch.look(None) == ([], [going]), "also when another project is open"
    assert watch.look(workspace) == ([], []), "once"
    held = hold(over)
    assert watch.look(workspace) == ([over], [])
    os.close(held)


def test_what_is_said() -> None:
    run = Run(Path("runs/r"))
    finished = RunStatus(State.FINISHED, step=5, total_steps=5)
    assert told(run, finished) == ("r finished after step 5/5", "information")
    failed = RunStatus(State.FAILED, step=3, reason="out of memory")
    assert told(run, failed) == ("r failed after step 3/?: out of memory", "error")
