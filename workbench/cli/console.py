"""What the command line writes: results on stdout, everything else on stderr, foreign text always cleaned."""

import json
import math
import re
import shlex
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from workbench.errors import WorkbenchError
from workbench.ui.text import clean, clean_lines, shown

_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What JSON may leave bare and a terminal obeys, or hides text with: written as escapes, the value stays."""

_NO_LIMIT = 10_000
"""Cells of a line that goes into a pipe or a file: nothing is cut there."""


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Let `workbench.cli.main` decide; rich would end the program with exit code 1."""
        raise BrokenPipeError


out = _Console(highlight=False, width=None if sys.stdout.isatty() else _NO_LIMIT)
err = _Console(stderr=True, highlight=False)


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


def busy(doing: str) -> AbstractContextManager[object]:
    """A sign on stderr that something takes its time, for a person only; it leaves no trace."""
    return err.status(Text(clean_lines(doing))) if err.is_interactive else nullcontext()


def command(*words: str) -> str:
    """`workbench` with these words, as a shell takes it: names and folders may hold blanks."""
    return shlex.join(("workbench", *words))


def excerpt(text: str, most: int) -> str:
    """Foreign text on one line, cleaned; of a long one the beginning."""
    text = clean(text)
    return text if len(text) <= most else f"{text[:most]}…"


def write_json(value: Any, *, indent: int | None = None) -> None:
    """Write one JSON value on stdout; NaN and infinities become text, as in the event log."""
    plain = _plain(value)
    text = json.dumps(plain, ensure_ascii=False, indent=indent, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # half a surrogate pair, or a character that the locale lacks
        text = json.dumps(plain, indent=indent, allow_nan=False)
    sys.stdout.write(_UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
