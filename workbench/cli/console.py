"""What the command line writes: results on stdout, everything else on stderr, foreign text always cleaned."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from workbench.errors import WorkbenchError
from workbench.ui.text import clean_lines, shown

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def report(error: WorkbenchError) -> None:
    """Write every problem of `error` on stderr, one a line."""
    for problem in error.problems:
        err.print(Text.assemble(("error: ", "bold red"), shown(str(problem))), soft_wrap=True)


def note(text: str) -> None:
    """Write a remark on stderr, where it does not get into piped results."""
    err.print(Text(clean_lines(text)), soft_wrap=True)


def say(text: str) -> None:
    """Write a result line on stdout, cleaned of control codes."""
    out.print(Text(clean_lines(text)), soft_wrap=True)


def write_json(value: Any, *, indent: int | None = None) -> None:
    """Write one JSON value on stdout; NaN and infinities become text, as in the event log."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
