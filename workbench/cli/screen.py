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
    return show(args.path, args.profile)


def show(named: str | None, profile: str | None = None, *, tour: bool = False) -> int:
    """Open the screen on the path that was named, or where projects are looked for when none was."""
    if named is not None:
        check_path(named)
    check_terminal()
    from workbench.ui.app import WorkbenchApp

    spare_collections()
    path = Path(named) if named is not None else usual_path()
    WorkbenchApp(path, profile, tour=tour).run()
    return 0


def usual_path() -> Path:
    """`projects` where there is one, else the folder itself if it holds some, else `projects` to come."""
    from workbench.project.reading import find_projects

    usual, here = Path("projects"), Path()
    return here if not usual.is_dir() and find_projects(here) else usual


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
