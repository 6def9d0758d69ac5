"""Copying that says where the text went: a clipboard that silently does nothing is worse than a file."""

import os
import subprocess
import tempfile
from typing import Any

from textual.app import App

TERMINAL_BYTES = 74_994
"""OSC 52 in base64 stays under 100,000 bytes, where xterm and others cut; the limit k9s takes."""

TMUX_SECONDS = 2.0


def copy(app: App[Any], text: str) -> str:
    """Copy `text` and return one sentence on where it went.

    Inside tmux its own buffer is set, which also reaches the outer terminal: tmux drops OSC 52 by default.
    Elsewhere the terminal is asked by OSC 52, which works over SSH but is never acknowledged. What is too
    long, or a failing tmux, goes to a file.
    """
    data = text.encode("utf-8", "replace")
    size = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
    if os.environ.get("TMUX"):
        if _to_tmux(data):
            return f"copied {size} to the tmux buffer and, where it allows it, the terminal's clipboard"
        return f"tmux took no copy; {_to_file(data, size)}"
    if len(data) > TERMINAL_BYTES:
        return f"too long for the terminal's clipboard; {_to_file(data, size)}"
    app.copy_to_clipboard(text)
    return f"copied {size} to the terminal's clipboard, where it allows OSC 52"


def _to_tmux(data: bytes) -> bool:
    command = ["tmux", "load-buffer", "-w", "-"]
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=TMUX_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _to_file(data: bytes, size: str) -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="workbench-copy-", suffix=".txt")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        return f"nothing was copied: {error.strerror}"
    return f"{size} are in {path}"
