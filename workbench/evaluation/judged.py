"""What people said of answers: voted on blind, corrected, and both written as rows to train on."""

from pathlib import Path

from workbench.errors import fault
from workbench.evaluation.contents import Contents
from workbench.evaluation.corrections import read_corrections
from workbench.evaluation.exports import Exported, corrected_rows, preference_rows, write_rows
from workbench.evaluation.rows import question, thaw
from workbench.evaluation.votes import Ballot, ballots, read_votes, still_open

PREFERENCES, EDITED = "preferences", "edited"
KINDS = (PREFERENCES, EDITED)
FOLDER = "data"
"""Of the project: where its data files are."""


def open_ballots(contents: Contents, names: list[str]) -> list[Ballot]:
    """What is still to be voted on of these contestants: rows that both answered, not to the letter alike.

    Raises WorkbenchError: the votes cannot be read.
    """
    texts = answers(contents)
    drawn = ballots([row.key for row in contents.rows], names, contents.plan.data.seed)
    different = [each for each in drawn if _differ(texts.get((each.source, each.row), {}), each)]
    votes, _ = read_votes(contents.evaluation.votes)
    return still_open(different, votes)


def answers(contents: Contents) -> dict[tuple[int, int], dict[str, str]]:
    """Row to contestant to what it wrote first, empty answers left out."""
    found: dict[tuple[int, int], dict[str, str]] = {}
    for contestant, results in zip(contents.plan.contestants, contents.results, strict=True):
        for key, answer in results.first_answers.items():
            if answer.text.strip():
                found.setdefault(key, {})[contestant.name] = answer.text
    return found


def export(contents: Contents, kind: str, path: Path | None = None) -> tuple[Path, Exported]:
    """Write votes as preference rows, or corrected answers as rows to train on.

    Args:
        kind: one of `KINDS`.
        path: the file; `data/KIND-ID.jsonl` of the project without it. What is there is written anew.

    Raises:
        WorkbenchError: there is nothing to write, or it cannot be written.
    """
    evaluation = contents.evaluation
    examples = {row.key: thaw(row) for row in contents.rows}
    if kind == PREFERENCES:
        votes, _ = read_votes(evaluation.votes)
        asked = {key: question(example) for key, example in examples.items()}
        exported = preference_rows(votes, asked, answers(contents), evaluation.id)
    else:
        corrections, _ = read_corrections(evaluation.corrections)
        sources = [source.path for source in contents.plan.data.source]
        exported = corrected_rows(corrections, examples, sources)
    if not exported.rows:
        why = ", ".join(f"{count} × {reason}" for reason, count in exported.left_out.items())
        hint = why or "rate answers first, or edit one"
        raise fault(f"there are no {kind} rows to write", evaluation.id, hint)
    path = path or evaluation.folder.parents[1] / FOLDER / f"{kind}-{evaluation.id}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault(f"cannot be made: {error.strerror or error}", path.parent) from error
    write_rows(path, exported)
    return path, exported


def _differ(texts: dict[str, str], ballot: Ballot) -> bool:
    left, right = texts.get(ballot.left), texts.get(ballot.right)
    return left is not None and right is not None and left.strip() != right.strip()
