"""Answers that a person wrote better: one JSON line each, the last one about an answer counts."""

import time
from collections.abc import Iterable
from pathlib import Path

from workbench.evaluation.log import append, read_log
from workbench.evaluation.records import RowRecord


class Correction(RowRecord):
    """What an answer should have been.

    Attributes:
        time: in seconds since 1970.
        contestant: whose answer it was.
        text: the better one; empty takes an earlier correction back.
        by: who wrote it.
    """

    time: float
    contestant: str
    text: str
    by: str = ""


def correct(path: Path, key: tuple[int, int], contestant: str, text: str, by: str = "") -> Correction:
    """Write down a better answer to the row `key`. Raises WorkbenchError: it cannot be written."""
    source, row = key
    made = Correction(source=source, row=row, time=time.time(), contestant=contestant, text=text, by=by)
    append(path, made)
    return made


def read_corrections(path: Path) -> tuple[list[Correction], int]:
    """The corrections that count, and how many lines are none. Raises WorkbenchError: unreadable."""
    lines, broken = read_log(path, Correction)
    return standing(lines), broken


def standing(lines: Iterable[Correction]) -> list[Correction]:
    """The last correction of each answer, those taken back left out."""
    last = {(each.key, each.contestant): each for each in lines}
    return [each for each in last.values() if each.text.strip()]
