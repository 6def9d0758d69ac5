"""Mappings for all that a person names: a folder with files of several shapes becomes several sources.

What files are for is told from their names: `train.json` beside `public_test.json`.
"""

import glob
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.data.detect.propose import Proposal, propose
from workbench.data.example import Example
from workbench.data.files.sources import data_files, is_hub
from workbench.errors import Problem, WorkbenchError

_MOST = 100
"""Files of a folder that are each looked at; those of a folder with more are taken to be alike."""
_NAMED = 5
"""Files of a folder that are named one by one in what is said of them."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SPLITS = {
    "test": frozenset({"test", "tests", "testing", "heldout"}),
    "validation": frozenset({"validation", "valid", "val", "dev", "eval", "evaluation"}),
}
"""Words in the names of files that are not trained on."""


@dataclass(frozen=True)
class Proposed:
    """Mappings for what was named.

    Attributes:
        proposals: one for each file, or for files that are alike, those to train on first; at least one where
            anything was named.
        left_out: files of a folder that are no rows, or of no known shape, and why.
    """

    proposals: list[Proposal]
    left_out: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """A proposal and what the file's name says that it is for: the split and the word; both may be empty."""

    proposal: Proposal
    split: str = ""
    word: str = ""


def propose_all(paths: Sequence[Path], among_others: bool = False) -> Proposed:
    """Mappings for files, folders, globs and `hub:owner/name`; those of a folder by the shapes of its files.

    A file whose name says test or validation is proposed for that, where something is left to train on.

    Args:
        paths: what the person named.
        among_others: whether the project has other sources, so that nothing need be left.

    Raises:
        WorkbenchError: the problems of all that makes no proposal, of a folder those of its files.
    """
    found: list[_Found] = []
    left_out: list[Problem] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found += _of_one(path, left_out)
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise WorkbenchError(*problems)
    trained = among_others or any(not each.split and "split" not in each.proposal.table for each in found)
    proposals = [_for_split(each) if trained else each.proposal for each in found]
    return Proposed(sorted(proposals, key=lambda each: each.table.get("split", "")), left_out)


def _for_split(found: _Found) -> Proposal:
    proposal = found.proposal
    if not found.split or "split" in proposal.table:
        return proposal
    why = f'{proposal.why}; its name says {found.word}: split = "{found.split}"'
    return replace(proposal, table={**proposal.table, "split": found.split}, why=why)


def _of_one(path: Path, left_out: list[Problem]) -> list[_Found]:
    """The proposals for what one path names; files of it that make none are added to `left_out`."""
    if is_hub(str(path)):
        return [_Found(propose(path))]
    files = data_files(str(path), Path())
    if files == [path]:
        return [_Found(propose(path), *_split_of(path, path))]
    if len(files) > _MOST:
        whole = propose(path)
        why = f"{whole.why}; {len(files):,} files, told from the first and taken to be alike"
        return [_Found(replace(whole, why=why))]
    single: dict[Path, _Found] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            single[file] = _Found(propose(file), *_split_of(file, path))
        except WorkbenchError as error:
            problems += error.problems
    problems += _drop_notes(single)
    if not single:
        more = [Problem(f"… and {len(problems) - _NAMED} more", str(path))] if len(problems) > _NAMED else []
        raise WorkbenchError(*problems[:_NAMED], *more)
    # Labels that stand beside a text are used: that they are no rows by themselves is no news
    beside = {name for each in single.values() for name in each.proposal.table.get("beside", {}).values()}
    left_out += [problem for problem in problems if problem.where not in beside]
    return _grouped(path, files, single)


def _split_of(file: Path, named: Path) -> tuple[str, str]:
    """The split that the words of a file's name say, as seen from what was named, and the word."""
    seen = str(file.relative_to(named)) if file != named and file.is_relative_to(named) else file.name
    words = [word.lower() for word in _WORD.findall(seen)]
    told = [(split, word) for word in words for split, telling in _SPLITS.items() if word in telling]
    return next(iter(told), ("", ""))


def _drop_notes(single: dict[Path, _Found]) -> list[Problem]:
    """Take out plain lines of text beside files of a particular shape: they are notes about these."""
    notes = [
        file
        for file, each in single.items()
        if each.proposal.table["kind"] == "text" and file.suffix.lower() == ".txt"
    ]
    if len(notes) == len(single):
        return []
    for note in notes:
        del single[note]
    return [Problem("plain text beside other data, taken for notes about it", str(note)) for note in notes]


def _grouped(path: Path, files: list[Path], single: dict[Path, _Found]) -> list[_Found]:
    """One proposal for all files that are mapped alike, where one pattern names them; else one for each."""
    groups: dict[str, list[Path]] = {}
    for file, each in single.items():
        groups.setdefault(_key(each), []).append(file)
    found = []
    for group in groups.values():
        name = _name(path, files, group) if len(group) > 1 else ""
        if name:
            found.append(_joined(name, [single[file] for file in group]))
        else:
            found += [single[file] for file in group]
    return found


def _key(found: _Found) -> str:
    """What files of one source have in common: the mapping, what they are for, whether there are answers."""
    outcomes = [outcome for _, outcome in found.proposal.rows if isinstance(outcome, Example)]
    answered = any(message.role == "assistant" for each in outcomes for message in each.messages)
    return json.dumps([{**found.proposal.table, "path": ""}, found.split, answered], sort_keys=True)


def _name(path: Path, files: list[Path], group: list[Path]) -> str:
    """The folder or pattern of exactly these files; empty when there is none."""
    if group == files:
        return str(path)
    folder = group[0].parent
    names = [file.name for file in group]
    if any(file.parent != folder for file in group):
        return ""
    head, tail = _shared(names), _shared([name[::-1] for name in names])[::-1]
    pattern = f"{glob.escape(str(folder))}/{glob.escape(head)}*{glob.escape(tail)}"
    try:
        return pattern if data_files(pattern, Path()) == group else ""
    except WorkbenchError:
        return ""


def _shared(names: list[str]) -> str:
    """What all names begin with, at most half of the shortest: a pattern needs both its ends."""
    first, last = min(names), max(names)
    size, most = 0, min(map(len, names)) // 2
    while size < most and first[size] == last[size]:
        size += 1
    return first[:size]


def _joined(name: str, alike: list[_Found]) -> _Found:
    """One proposal in place of several, with what is the matter with each."""
    first = alike[0].proposal
    why = f"{len(alike)} files alike: {first.why}"
    others = [each.proposal for each in alike if each.proposal.why != first.why]
    for other in others[:_NAMED]:
        why += f"; {Path(other.table['path']).name}: {other.why}"
    return replace(alike[0], proposal=replace(first, table={**first.table, "path": name}, why=why))
