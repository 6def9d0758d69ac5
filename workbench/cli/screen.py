"""`workbench [PATH] [--profile NAME]`: the terminal user interface."""

import argparse
import difflib
import gc
import os
import sys
from pathlib import Path

from workbench.errors import fault

RARELY = (2_000, 20, 100)
"""Thresholds of garbage collection: a full one walks 130,000 objects, 0.1 s in which no key is answered; by
Python's own thresholds the data pane of a large project had one every six seconds."""


def run(args: argparse.Namespace) -> int:
    """Open the screen on a project or on a folder of projects."""
    check_path(args.path)
    check_terminal()
    from workbench.ui.app import WorkbenchApp

    spare_collections()
    WorkbenchApp(Path(args.path), args.profile).run()
    return 0


def spare_collections() -> None:
    """Have garbage collected rarely, and never look again at what is imported by now."""
    gc.set_threshold(*RARELY)
    gc.freeze()


def check_path(path: str) -> None:
    """Refuse a path that is not there: it may be a command that was mistyped."""
    from workbench.cli import COMMANDS

    if Path(path).exists():
        return
    near = difflib.get_close_matches(path, COMMANDS, n=1)
    hint = f"did you mean workbench {near[0]}?" if near else "workbench new PATH --data FILE makes a project"
    raise fault("no such folder, and no command", path, hint)


def check_terminal() -> None:
    """Refuse where a screen cannot be drawn, and say which command does the job there.

    Textual draws on stderr, so that a redirected stderr gives a blank terminal instead of an error.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise fault(
            "the screen needs a terminal", "stdin/stdout", "run it in one, or use a command: workbench --help"
        )
    if not sys.stderr.isatty():
        raise fault("the screen is drawn on stderr, which is redirected", "stderr", "leave out `2>`")
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        raise fault(
            "this terminal cannot place text",
            f"TERM={os.environ.get('TERM', '')}",
            "set TERM=xterm-256color, or use a command: workbench --help",
        )
