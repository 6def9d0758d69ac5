"""Evaluations written by hand, in any state, on a project in a folder of its own."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.chat.protocol import Target
from workbench.evaluation.folder import EVALUATIONS, Evaluation
from workbench.evaluation.plan import Contestant, Plan
from workbench.evaluation.records import Answer, Label, Record, Said, Score, ScoredRow, to_lines
from workbench.project.evaluation import Decoding, EvaluationSettings
from workbench.project.store import open_project
from workbench.runs.events import EventWriter

EMOTIONS = ("happy", "happy", "happy", "sad")


def target(folder: Path, step: int | None = None) -> Target:
    """The base model, or a checkpoint of run `r`."""
    known: dict[str, Any] = {} if step is None else {"run": "r", "step": step, "weights": folder / "runs/r"}
    kind = "base" if step is None else "checkpoint"
    return Target(kind=kind, label=kind, base="embedded", project_folder=folder, template="base", **known)


def evaluation(
    project: Path,
    names: Sequence[str] = ("base", "step 10", "step 20"),
    *,
    id: str = "20261130-100000-models",
    rows: int = 4,
    decodings: Sequence[Decoding] = (),
    end: str = "finished",
    **settings: Any,
) -> Evaluation:
    """A whole one: later contestants are better, the answers of the first loop; row 2 has no reference.

    Perplexity of row i of contestant n is `exp(3 - n) + i`, but row 1 was cut off, and the labels of the last
    contestant are all right.
    """
    made = Evaluation(project / EVALUATIONS / id)
    made.control.mkdir(parents=True)
    contestants = [
        Contestant(
            name=name,
            target=target(project, None if n == 0 else 10 * n),
            decoding=decodings[n] if decodings else None,
        )
        for n, name in enumerate(names)
    ]
    created = 1796000000.0 + int(id.rpartition("-")[0][-6:])
    plan = Plan(
        id=id,
        created=created,
        kind="sampling" if decodings else "models",
        side="test",
        contestants=contestants,
        data=open_project(project).settings.data,
        settings=EvaluationSettings(**{"label": "emotion", "classifier": "lexicon"} | settings),
    )
    write(made.rows, [row(number) for number in range(rows)])
    for number, name in enumerate(names):
        measure(made, number, name, rows, scores=not decodings, last=number == len(names) - 1)
    events = EventWriter(made.events)
    events.write("began")
    if end:
        events.write("ended", state=end, reason="")
    events.close()
    made.plan.write_text(plan.model_dump_json(), encoding="utf-8")
    return made


def row(number: int) -> ScoredRow:
    """A question with a tag; the third one has no reference."""
    return ScoredRow(
        source=0,
        row=number,
        id=f"id{number}",
        messages=[Said(role="user", content=f"How is [/red] number {number}?")],
        reference=None if number == 2 else f"It is number {number}.",
        tags={"emotion": EMOTIONS[number % len(EMOTIONS)]},
    )


def measure(
    made: Evaluation, number: int, name: str, rows: int, *, scores: bool = True, last: bool = False
) -> None:
    """All files of one contestant."""
    files = made.contestant(number)
    files.folder.mkdir(parents=True, exist_ok=True)
    if scores:
        write(files.scores, [score(n, number) for n in range(rows)])
    write(files.answers, [answer(n, number, name) for n in range(rows)])
    said = [EMOTIONS[n % len(EMOTIONS)] if last else "happy" for n in range(rows)]
    labels = [Label(source=0, row=n, of="answer", label=said[n], score=0.9) for n in range(rows)]
    references = [
        Label(source=0, row=n, of="reference", label="happy", score=0.9) for n in range(rows) if n != 2
    ]
    write(files.labels, [*labels, *references])


def score(row: int, contestant: int) -> Score:
    """Two tokens; row 1 was cut off, row 2 has no reference."""
    if row in (1, 2):
        return Score(source=0, row=row, nll=0, tokens=0, correct=0, skipped="the answer was cut off")
    value = math.exp(3 - contestant) + row
    return Score(source=0, row=row, nll=2 * math.log(value), tokens=2, correct=min(2, contestant))


def answer(row: int, contestant: int, name: str) -> Answer:
    """The first contestant loops until it is cut off."""
    loops = contestant == 0
    text = "again and again " * 20 if loops else f"{name} says: number {row}."
    return Answer(
        source=0, row=row, text=text, tokens=60 if loops else 6, ended="length" if loops else "stop token"
    )


def write(path: Path, records: Sequence[Record]) -> None:
    """Lines of a file."""
    path.write_bytes(to_lines(records))
