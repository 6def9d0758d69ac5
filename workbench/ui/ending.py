"""A run that this screen saw going on has ended: a notice in any pane, and a call to who looks elsewhere.

The terminal is asked by its bell, and by OSC 9, which iTerm2, kitty, WezTerm and others show as
a notice of the desktop (source: iTerm2's documentation of proprietary escape codes). tmux hands OSC 9 on
only where its option `allow-passthrough` lets it; the bell it always hands on.
"""

import os
import re
import subprocess
from collections.abc import Callable

from workbench.runs.folder import Run, list_runs
from workbench.runs.lock import is_held
from workbench.runs.status import RunStatus, State
from workbench.ui.text import clean
from workbench.ui.workspace import Workspace

LONGEST_NOTICE = 200
"""Characters; desktops cut sooner."""

TMUX_SECONDS = 2.0
FIRST_CLOSED = (3, 3)
"""Version of tmux from which on escape sequences pass only where `allow-passthrough` is set."""

Ask = Callable[[list[str]], str]
"""Runs a command line and returns what it wrote; empty when it fails."""


class RunWatch:
    """Which runs were seen going on, and which of them have ended since."""

    def __init__(self) -> None:
        self._seen: dict[Run, None] = {}

    def look(self, workspace: Workspace | None) -> tuple[list[Run], list[Run]]:
        """The runs of this project that go on, newest first; and those of any project that just ended."""
        going = [run for run in list_runs(workspace.project.folder) if is_held(run)] if workspace else []
        ended = [run for run in self._seen if run not in going and not is_held(run)]
        for run in ended:
            del self._seen[run]
        self._seen |= dict.fromkeys(going)
        return going, ended


def told(run: Run, status: RunStatus) -> tuple[str, str]:
    """What is said of its end, and how urgently: a name of Textual's severities."""
    steps = f" after step {status.step}/{status.total_steps or '?'}"
    text = f"{run.id} {status.state.value}{steps}" + (f": {status.reason}" if status.reason else "")
    return text, "error" if status.state in (State.FAILED, State.KILLED) else "information"


def call(text: str, ask: Ask | None = None) -> str:
    """What is written to the terminal: its bell, and OSC 9 where that gets through.

    Args:
        ask: runs a command, for tests.
    """
    bell = "\a"
    notice = f"\x1b]9;workbench: {clean(text)[:LONGEST_NOTICE]}\x1b\\"
    if os.environ.get("TERM") == "linux":  # the console of the kernel has no desktop
        return bell
    if not os.environ.get("TMUX"):
        return bell + notice
    if not _passes(ask or _output):
        return bell
    return f"{bell}\x1bPtmux;{notice.replace(chr(27), chr(27) * 2)}\x1b\\"


def _passes(ask: Ask) -> bool:
    version = tuple(map(int, re.findall(r"\d+", ask(["tmux", "display-message", "-p", "#{version}"]))[:2]))
    if version and version < FIRST_CLOSED:
        return True
    return ask(["tmux", "show-options", "-Apv", "allow-passthrough"]).strip() in ("on", "all")


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TMUX_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
