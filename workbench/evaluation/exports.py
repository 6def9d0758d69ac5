"""What people judged as rows to train on: votes as preferences, corrected answers as conversations."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.data.augment.making import MadeRow
from workbench.data.augment.output import row_of, turn_of
from workbench.data.example import Example, Message
from workbench.evaluation.corrections import Correction
from workbench.evaluation.votes import Vote
from workbench.project.files import write_atomic

VERSION = 1
Key = tuple[int, int]
"""Source and row."""


@dataclass
class Exported:
    """Rows of a file, and why others are not among them.

    Attributes:
        rows: as they are written.
        left_out: reason to count.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def preference_rows(
    votes: Iterable[Vote],
    asked: Mapping[Key, Sequence[Message]],
    answers: Mapping[Key, Mapping[str, str]],
    evaluation: str,
) -> Exported:
    """One row for each two answers of which more raters chose one: ``prompt``, ``chosen`` and ``rejected`` as
    lists of messages (the conversational form of TRL's preference data), and ``made_from``.

    Args:
        votes: those that count.
        asked: the messages that stood before the answer, by row.
        answers: row to contestant to what it wrote.
        evaluation: its id, for the provenance.
    """
    exported = Exported()
    by_pair: dict[tuple[Key, tuple[str, str]], list[Vote]] = {}
    for vote in votes:
        by_pair.setdefault((vote.key, vote.pair), []).append(vote)
    for (key, pair), given in by_pair.items():
        won = Counter(vote.winner for vote in given if vote.winner)
        texts = answers.get(key, {})
        if won[pair[0]] == won[pair[1]]:
            exported.left_out["nobody was preferred"] += 1
        elif key not in asked or not all(texts.get(name, "").strip() for name in pair):
            exported.left_out["an answer is missing"] += 1
        elif texts[pair[0]].strip() == texts[pair[1]].strip():
            exported.left_out["both answers are the same"] += 1
        else:
            chosen, rejected = pair if won[pair[0]] > won[pair[1]] else pair[::-1]
            exported.rows.append(
                {
                    "prompt": [turn_of(message) for message in asked[key]],
                    "chosen": [_said(texts[chosen])],
                    "rejected": [_said(texts[rejected])],
                    "made_from": _origin(evaluation, key, [vote.rater for vote in given])
                    | {"chosen": chosen, "rejected": rejected, "votes": [won[chosen], won[rejected]]},
                }
            )
    return exported


def corrected_rows(
    corrections: Iterable[Correction], examples: Mapping[Key, Example], sources: Sequence[str]
) -> Exported:
    """One training row for each correction, in the form of `workbench augment`: ``messages`` with the better
    answer last, ``blocks``, ``tags``, ``made_from``, ``group``.

    Args:
        corrections: those that count.
        examples: the rows as they were asked, with or without the reference.
        sources: path of each `[[data.source]]` as the project names it.
    """
    exported = Exported()
    for correction in corrections:
        example = examples.get(correction.key)
        if example is None or not correction.text.strip():
            exported.left_out["the row or the text is missing"] += 1
            continue
        messages = example.messages
        last = messages[-1]
        if last.role == "assistant":
            better, before = replace(last, content=correction.text.strip()), messages[:-1]
        else:
            better, before = Message("assistant", correction.text.strip()), messages
        by = f"correction of {correction.contestant}" + (f" by {correction.by}" if correction.by else "")
        made = MadeRow(replace(example, messages=(*before, better)), (by,), example.group)
        exported.rows.append(row_of(made, sources[correction.source]))
    return exported


def write_rows(path: Path, exported: Exported) -> None:
    """Write the rows as JSON lines: the old file or the new one, whole. Raises WorkbenchError."""
    write_atomic(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in exported.rows))


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text.strip()}


def _origin(evaluation: str, key: Key, raters: Iterable[str]) -> dict[str, Any]:
    named = sorted({rater for rater in raters if rater})
    return {"evaluation": evaluation, "source": key[0], "row": key[1], "raters": named, "v": VERSION}
