"""A mapping for an unknown file, told from its first rows, with what those rows become by it."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from workbench.data.detect.dialogs import SEPARATOR, TAB_COLUMNS, beside, utterances
from workbench.data.detect.nested import nested_places
from workbench.data.detect.sample import Sample, Shape, braced
from workbench.data.detect.shapes import pairs, plain, squad, turns, two_texts, unanswered
from workbench.data.example import Example, Origin, Rejected, Row
from workbench.data.files.json_text import NOT_AN_OBJECT
from workbench.data.files.rows import NOT_UTF8, RowError
from workbench.data.files.sources import open_source
from workbench.data.mapping.mapper import Mapper
from workbench.errors import WorkbenchError, fault
from workbench.project.source import Source

_SAMPLE = 100
_SHOWN = 3
_FINDERS = (turns, squad, pairs, utterances, unanswered, plain, two_texts)
"""The more particular shapes first: a file of dialogues has columns of text as well."""
_RESULTS = ("loss", "training_loss", "train_loss", "elapsed_tokens")
_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

_Reading = dict[str, Any]
"""Keys of a source that say how its file is read: `rows`, `columns`, `beside`."""


@dataclass(frozen=True)
class Proposal:
    """A mapping for a file.

    Attributes:
        table: the `[[data.source]]`; its path as it was given.
        why: what it was told from, and how many of the first rows it cannot use.
        rows: the first three rows with what they become.
    """

    table: dict[str, Any]
    why: str
    rows: list[tuple[Row, Example | Rejected]]


def propose(path: Path) -> Proposal:
    """The mapping for a file, a folder or a glob that makes examples of its first rows.

    Raises:
        WorkbenchError: its name is not UTF-8, it cannot be opened, none of its first rows is usable, it is
            the results table of a run, or the columns, which are named, are of no known shape.
    """
    if not _is_utf8(path):
        raise fault("its name is not UTF-8, and cannot be written in project.toml", path, "rename it")
    samples = _samples(path)
    for _, sample in samples:
        _refuse_numbers(path, sample)
    best: Proposal | None = None
    for find in _FINDERS:
        for reading, sample in samples:
            for shape in find(sample):
                proposal, kept = _tried(path, reading, shape, sample)
                if kept:
                    return proposal
                best = best or proposal
    if best:
        return best
    raise _unknown(path, *samples[0])


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown(path: Path, reading: _Reading, sample: Sample) -> WorkbenchError:
    if names := reading.get("columns"):
        cells = " | ".join(str(sample.rows[0][1].get(name))[:20] for name in names[:5])
        hint = 'name them in a [[data.source]], such as columns = ["instruction", "input", "output"]'
        return fault(f"{len(names)} columns without names, the first row being {cells}", path, hint)
    named = ", ".join(name[:40] for name in sample.columns[:20])
    prose = sample.prose()
    texts = [name for name in sample.columns if name in prose]
    asks, answers = texts[:2] if len(texts) > 1 else ("question", "answer")
    hint = (
        "say which columns make the user message and the answer in a [[data.source]] of project.toml "
        '(`workbench new PATH` without data makes one), such as kind = "fields", '
        f"user = {json.dumps(braced(asks), ensure_ascii=False)}, "
        f"assistant = {json.dumps('{' + answers + '}', ensure_ascii=False)}"
    )
    return fault(f"unknown shape, columns: {named}", path, hint)


def _tried(path: Path, reading: _Reading, shape: Shape, sample: Sample) -> tuple[Proposal, int]:
    """A proposal, and how many of the sampled rows it makes examples of."""
    table = {"kind": shape.table["kind"], "path": str(path), **reading, **shape.table}
    mapper = Mapper(_SOURCE.validate_python(table))
    outcomes = [(row, mapper.map(row, Origin(0, i))) for i, row in sample.rows]
    unmapped = [outcome for _, outcome in outcomes if isinstance(outcome, Rejected)]
    lost = sorted(unmapped + sample.broken, key=lambda each: each.origin.row)
    why = shape.why
    if "columns" in reading:
        why += "; the first line is a row like the others, so `columns` names them"
    if unused := sample.unused(table):
        why += f"; not used: {', '.join(unused)}"
    if lost:
        one = lost[0]
        about = f"{one.reason}: {one.detail}" if one.detail else one.reason
        why += (
            f"; {len(lost)} of the first {len(outcomes) + len(sample.broken)} rows cannot be used, "
            f"row {one.origin.row}: {about}"
        )
    return Proposal(table, why, outcomes[:_SHOWN]), len(outcomes) - len(unmapped)


def _samples(path: Path) -> list[tuple[_Reading, Sample]]:
    """First rows in every way in which the file can be read, the likeliest first; at least one."""
    try:
        sample = _sample(path, {})
    except WorkbenchError:
        inside = _readable(path, [{"rows": place} for place in nested_places(path)])
        if not inside:
            raise
        return inside
    finer = _finer(path, sample)
    return [*_readable(path, [finer] if finer else []), ({}, sample)]


def _readable(path: Path, readings: list[_Reading]) -> list[tuple[_Reading, Sample]]:
    """Those of the ways in which the file can be read after all."""
    found = []
    for reading in readings:
        with suppress(WorkbenchError):
            found.append((reading, _sample(path, reading)))
    return found


def _finer(path: Path, sample: Sample) -> _Reading:
    """How to read a text file that has columns without names, or labels in files beside it."""
    texts = sample.strings("text") if sample.columns == ["text"] else []
    tabs = Counter(text.count("\t") for text in texts).most_common(1)
    if tabs and tabs[0][0] and 2 * tabs[0][1] >= len(texts):
        return {"columns": _column_names(tabs[0][0] + 1, texts[0])}
    if sample.is_headless() or any(SEPARATOR in name for name in sample.columns):
        return {"columns": _column_names(len(sample.columns), sample.columns[0])}
    if texts and path.suffix == ".txt" and path.is_file() and (files := beside(path, sample)):
        return {"beside": files}
    return {}


def _column_names(count: int, text: str) -> list[str]:
    if SEPARATOR in text and count == len(TAB_COLUMNS):
        return TAB_COLUMNS
    if count == 2:
        return ["input", "output"]
    return [f"column {n}" for n in range(1, count + 1)]


def _refuse_numbers(path: Path, sample: Sample) -> None:
    """What looks like data but holds only numbers: the table that a run has written, labels of a file."""
    if not sample.is_numeric():
        return
    names = [name.strip().lower().replace(" ", "_") for name in sample.columns]
    if "step" in names and any(name in names for name in _RESULTS):
        hint = "name the file that the run was trained on"
        raise fault("this is a results table of a run, not training data", path, hint)
    if sample.columns == ["text"]:
        hint = "name the file with the texts: labels in the same folder are found, and written as `beside`"
        raise fault("holds only numbers, such as labels for the lines of another file", path, hint)


def _sample(path: Path, reading: _Reading) -> Sample:
    """Those of the first rows that can be read."""
    source = _SOURCE.validate_python({"kind": "text", "path": str(path), **reading})
    rows = open_source(source, Path())
    try:
        sample = Sample([])
        for i, row in enumerate(rows.scan(0, _SAMPLE)):
            if isinstance(row, RowError):
                sample.broken.append(Rejected(Origin(0, i), row.reason, row.detail))
            else:
                sample.rows.append((i, row))
    finally:
        rows.close()
    foreign = sum(each.reason == NOT_UTF8 for each in sample.broken)
    if sample.rows and foreign <= len(sample.rows):
        return sample
    if sample.rows:
        what = f"{foreign} of the first {len(sample.rows) + len(sample.broken)} rows are {NOT_UTF8}"
        raise fault(what, path, "if it holds no text, name another file")
    if not sample.broken:
        raise fault("has no rows", path)
    first = RowError(sample.broken[0].reason, sample.broken[0].detail)
    raise fault(f"none of the first rows can be read: {first}", path, _hint_of_list(path, sample.broken))


def _hint_of_list(path: Path, broken: list[Rejected]) -> str:
    """What to do with a file whose rows, or whose whole, is a JSON list."""
    if not path.is_file():
        return ""
    if len(broken) > 1 and broken[0].reason == NOT_AN_OBJECT:
        return 'a row is an object that names its columns, such as {"messages": […]} or {"text": "…"}'
    with path.open("rb") as file:
        is_list = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return "it looks like a JSON list: name it .json" if is_list else ""
