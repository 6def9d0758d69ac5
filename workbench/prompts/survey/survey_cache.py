"""Surveys kept in the project's `.workbench` folder: the same rows need no second look.

A file is named by all that the facts depend on: the data files' size and time of change, `[data]` without
`accept`, `[prompt]`, the template and the tokenizer. What cannot be read is as if it were not there,
and a `.workbench` that leads elsewhere by a link keeps nothing.
"""

import hashlib
import json
from array import array
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from workbench.data.dataset import Dataset
from workbench.data.report import SourceReport
from workbench.errors import WorkbenchError
from workbench.project.files import write_atomic
from workbench.project.store import OpenProject
from workbench.prompts.blocks import with_texts
from workbench.prompts.contract import TOKENIZER_FILES
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.survey.checks.facts import Facts

FORMAT = 6
KEPT = 4
"""Surveys of one project that stay, the newest."""


def cache_file(project: OpenProject, dataset: Dataset, encoder: Encoder) -> Path:
    """Where the survey of a project as it is now is kept.

    Raises WorkbenchError when one of the files is gone.
    """
    settings = project.settings
    files = chain.from_iterable(state.rows.files if state.rows else [state.path] for state in dataset.sources)
    folder = encoder.tokenizer.folder
    depends_on = [
        FORMAT,
        [_state(file) for file in chain(files, (folder / name for name in TOKENIZER_FILES))],
        settings.data.model_dump(mode="json", exclude={"accept"}),
        with_texts(settings.prompt, project.folder).model_dump(mode="json", exclude={"variant"}),
        encoder.template.source,
    ]
    text = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return project.folder / ".workbench" / f"survey-{digest[:24]}.json"


def load(file: Path, exact: bool) -> tuple[Facts, list[SourceReport]] | None:
    """What is kept in `file`; None without one, or with one that is broken or not as exact as asked for."""
    if file.parent.is_symlink():
        return None
    try:
        return from_plain(json.loads(file.read_bytes()), exact)
    except (OSError, ValueError, RecursionError):
        return None


def from_plain(kept: Any, exact: bool = False) -> tuple[Facts, list[SourceReport]] | None:
    """What `plain` made; None for what it did not make, or what is not as exact as asked for."""
    try:
        if kept["v"] != FORMAT or (exact and not kept["exact"]):
            return None
        return TypeAdapter(Facts).validate_python(kept["facts"]), [
            read_report(each) for each in kept["reports"]
        ]
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def plain(facts: Facts, reports: list[SourceReport], exact: bool) -> dict[str, Any]:
    """A survey as JSON has it."""
    return {
        "v": FORMAT,
        "exact": exact,
        "facts": asdict(facts),
        "reports": [plain_report(each) for each in reports],
    }


def store(file: Path, facts: Facts, reports: list[SourceReport], exact: bool) -> None:
    """Keep a survey; a folder that cannot be written to keeps none."""
    if file.parent.is_symlink():
        return
    with suppress(WorkbenchError, OSError):
        file.parent.mkdir(exist_ok=True)
        ignore = file.parent / ".gitignore"
        if not ignore.exists():
            write_atomic(ignore, "*\n")
        write_atomic(file, json.dumps(plain(facts, reports, exact)))
        older = sorted(file.parent.glob("survey-*.json"), key=lambda each: -each.stat().st_mtime_ns)
        for each in older[KEPT:]:
            each.unlink()


def _state(file: Path) -> list[Any]:
    try:
        stat = file.stat()
    except OSError:
        return [str(file)]
    return [str(file), stat.st_size, stat.st_mtime_ns]


def plain_report(report: SourceReport) -> dict[str, Any]:
    """A report as JSON has it; row numbers that follow each other are kept as their first and last."""
    return {
        "path": str(report.path),
        "name": report.name,
        "read": report.read,
        "kept": report.kept,
        "filtered": {reason: _runs(rows) for reason, rows in report.filtered.items()},
        "rejected": {reason: _runs(rows) for reason, rows in report.rejected.items()},
        "duplicate": _runs(report.duplicate),
        "not_taken": report.not_taken,
        "train": report.train,
        "validation": report.validation,
        "test": report.test,
        "cleaned": dict(report.cleaned),
        "error": report.error,
        "complete": report.complete,
    }


def read_report(kept: dict[str, Any]) -> SourceReport:
    rows = {
        "path": Path(kept["path"]),
        "filtered": {reason: _rows(runs) for reason, runs in kept["filtered"].items()},
        "rejected": {reason: _rows(runs) for reason, runs in kept["rejected"].items()},
        "duplicate": _rows(kept["duplicate"]),
        "cleaned": Counter(kept["cleaned"]),
    }
    return SourceReport(**(kept | rows))


def _runs(rows: "array[int]") -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _rows(runs: list[list[int]]) -> "array[int]":
    return array("q", chain.from_iterable(range(first, last + 1) for first, last in runs))
