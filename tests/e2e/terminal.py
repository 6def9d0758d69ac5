"""A real terminal for tests: an own tmux server, real keys, the screen as text."""

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

WORKBENCH = (sys.executable, "-m", "workbench")


class Terminal:
    """One tmux pane that runs `command` from `folder`; ends with the `with` block."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        *,
        columns: int = 80,
        rows: int = 24,
        term: str = "tmux-256color",
        **env: str,
    ):
        self.name = "workbench-" + uuid.uuid4().hex[:8]
        settings = {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", **env}
        words = [
            "env",
            "-u",
            "COLUMNS",
            "-u",
            "LINES",
            *(f"{key}={value}" for key, value in settings.items()),
            *command,
        ]
        self._tmux(
            "new-session",
            "-d",
            "-s",
            "t",
            "-x",
            str(columns),
            "-y",
            str(rows),
            "-c",
            str(folder),
            "sleep infinity",
            fresh=True,
        )
        self._tmux("set", "-g", "default-terminal", term)
        self._tmux("set", "-g", "remain-on-exit", "on")
        self._tmux("respawn-pane", "-k", "-t", "t", "-c", str(folder), shlex.join(words))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            sys.stderr.write(f"--- the screen when it failed ---\n{self.screen()}\n")
        self._tmux("kill-server")

    def _tmux(self, *words: str, fresh: bool = False) -> str:
        command = ["tmux", "-L", self.name, *(["-f", os.devnull] if fresh else []), *words]
        return subprocess.run(command, capture_output=True, text=True).stdout

    def keys(self, *names: str) -> None:
        """Press keys by tmux name: `Enter`, `Escape`, `C-q`, `a`."""
        self._tmux("send-keys", "-t", "t", *names)

    def type(self, text: str) -> None:
        """Type text literally."""
        self._tmux("send-keys", "-l", "-t", "t", text)

    def screen(self) -> str:
        """What the screen shows now."""
        return self._tmux("capture-pane", "-p", "-t", "t")

    def wait_for_the_end(self, seconds: float = 60) -> None:
        """Until the command has ended; AssertionError after `seconds`."""
        self.wait(
            lambda _: self._tmux("display-message", "-p", "-t", "t", "#{pane_dead}").strip() == "1", seconds
        )

    def history(self) -> str:
        """All lines that were written, those that scrolled out of sight included."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "t")

    def title(self) -> str:
        """The terminal's title, which only escape codes can set."""
        return self._told("pane_title")

    def _told(self, variable: str) -> str:
        return self._tmux("display-message", "-p", "-t", "t", f"#{{{variable}}}").strip()

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as a window manager would."""
        self._tmux("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))

    def wait(self, condition: str | Callable[[str], bool], seconds: float = 60) -> str:
        """The first screen that shows a text or meets a condition; AssertionError after `seconds`."""
        met = condition if callable(condition) else (lambda screen: condition in screen)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if met(screen := self.screen()):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"not seen within {seconds} s: {condition!r}\n{self.screen()}")
