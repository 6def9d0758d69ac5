"""Waiting for what other processes do, and finding them."""

import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], bool], what: str) -> None:
    """Until it holds; AssertionError after two minutes."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.05)


def screens(project: Path) -> list[int]:
    """Processes of the screen: whose command line is `python -m workbench PROJECT`."""
    return [pid for pid, words in command_lines().items() if words[1:4] == ["-m", "workbench", str(project)]]


def command_lines() -> dict[int, list[str]]:
    """Every process of this box with its words."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            found[int(process.name)] = line.split("\0")
    return found
