"""The shapes of DailyDialog: utterances as lists, or cut at `__eou__`, with labels in columns or beside.

Three copies of it are about: parallel .txt files, one text with three more columns behind tabs, and lists.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.data.detect.sample import Sample, Shape, mostly

SEPARATOR = "__eou__"
TAB_COLUMNS = ["dialog", "topic", "act", "emotion"]
"""The four columns of its copies with tabs, as in XDailyDialog's `*_human.txt`."""
_NAMES = {
    "emotion": ["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"],
    "act": ["none", "inform", "question", "directive", "commissive"],
}
"""DailyDialog, arXiv 1710.03957: label numbers in order; the seed project calls emotion 0 neutral."""
_OTHERWISE = {"action": "act"}
"""XDailyDialog's file is called otherwise than the column: one tag for both."""
NUMBERS = re.compile(r"\s*\d+(\s+\d+)*\s*")
"""Label numbers as one text."""
_UTTERANCE_COLUMNS = ("dialog", "dialogue", "utterances", "turns", "conversation")


def utterances(sample: Sample) -> Iterator[Shape]:
    """Kind `utterances`: a column of lists of texts, or of texts with `__eou__`."""
    for column in sample.columns:
        texts = sample.strings(column)
        if texts and mostly([text for text in texts if SEPARATOR in text], texts):
            yield _shape(sample, column, f'"{column}" has utterances that end with {SEPARATOR}')
    for column in sample.columns:
        lists = sample.lists(column)
        spoken = [each for each in lists if each and all(isinstance(text, str) for text in each)]
        named = column.lower() in _UTTERANCE_COLUMNS
        if lists and mostly(spoken, sample.values(column)) and (named or _are_sentences(spoken)):
            yield _shape(sample, column, f'"{column}" holds lists of utterances')


def beside(path: Path, sample: Sample) -> dict[str, str]:
    """Label files in the folder of a .txt file: as many lines, as many numbers in each as utterances.

    Args:
        path: the file with the dialogues.
        sample: its first lines, as the column `text`.
    """
    counts = {i: _count(row["text"]) for i, row in sample.rows if SEPARATOR in row["text"]}
    found = {}
    for other in sorted(path.parent.glob("*.txt")) if counts else ():
        name = _label_name(other, path)
        if other != path and name != "text" and _fits(other, path, counts):
            found[name] = str(other)
    return found


def _fits(other: Path, path: Path, counts: dict[int, int]) -> bool:
    """Whether a file has as many numbers in most lines as `counts` says, and as many lines as `path`."""
    try:
        if not other.is_file() or (head := _head(other, max(counts) + 1)) is None:
            return False
        fitting = [i for i, count in counts.items() if i < len(head) and len(head[i].split()) == count]
        return mostly(fitting, list(counts)) and _lines(other) == _lines(path)
    except OSError:
        return False


def _shape(sample: Sample, column: str, why: str) -> Shape:
    labels = _labels(sample, column)
    table: dict[str, Any] = {"kind": "utterances", "column": column}
    if labels:
        table |= {"labels": labels, "tags": {name: f"{{{name}}}" for name in labels}}
        why += f", with a label for each in {', '.join(labels)}"
    return Shape(table, why)


def _labels(sample: Sample, column: str) -> dict[str, list[str]]:
    """Columns with a label for each utterance in most rows, with the names of DailyDialog's numbers."""
    labels = {}
    for other in sample.columns:
        rows = [(row.get(column), _label_values(row.get(other))) for _, row in sample.rows]
        fitting = [values for value, values in rows if values and len(values) == _count(value)]
        if other != column and mostly(fitting, rows) and any(len(values) > 1 for values in fitting):
            labels[other] = _names(other, fitting)
    return labels


def _names(column: str, rows: list[list[Any]]) -> list[str]:
    """Names for the numbers of a column that is DailyDialog's; none for others, or where they are names."""
    names = next((names for key, names in _NAMES.items() if column.lower().startswith(key)), [])
    known = all(isinstance(each, int) and each < len(names) for values in rows for each in values)
    return names if known else []


def _label_values(value: Any) -> list[Any] | None:
    """Labels as a list of numbers or of words, or numbers as one text; None when it is something else."""
    if isinstance(value, str) and NUMBERS.fullmatch(value):
        return [int(number[:9]) for number in value.split()]
    if isinstance(value, list) and all(type(each) is int or _is_word(each) for each in value):
        return value
    return None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value.split()) == 1


def _count(value: Any) -> int:
    """How many utterances a cell holds."""
    if isinstance(value, list):
        return len(value)
    return len([each for each in str(value).split(SEPARATOR) if each.strip()])


def _are_sentences(lists: list[list[str]]) -> bool:
    """Whether lists of texts are dialogues and not tags: two or more, mostly of several words."""
    texts = [text for each in lists for text in each]
    several = [each for each in lists if len(each) > 1]
    return mostly(several, lists) and mostly([text for text in texts if " " in text.strip()], texts)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _head(path: Path, count: int) -> list[str] | None:
    """The first lines when all of them are numbers or empty; None for another file."""
    with path.open("rb") as file:
        lines = [line.decode("utf-8", "replace").strip() for line, _ in zip(file, range(count), strict=False)]
    return lines if all(not line or NUMBERS.fullmatch(line) for line in lines) else None


def _label_name(path: Path, text: Path) -> str:
    """`emotion` of `dialogues_emotion.txt` beside `dialogues_text.txt`: less what both begin with."""
    stem = path.stem
    shared = 0
    while shared < min(len(stem), len(text.stem)) and stem[shared] == text.stem[shared]:
        shared += 1
    own = stem[stem.rfind("_", 0, shared + 1) + 1 :] if "_" in stem[: shared + 1] else stem
    return _OTHERWISE.get(own, own) or stem
