"""The rows of an evaluation: frozen when it begins, so that all contestants answer the same text."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from workbench.data.dataset import Dataset
from workbench.data.example import Example, Message, Origin
from workbench.data.selection import Selection, in_drawn_order
from workbench.errors import fault
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.plan import Plan
from workbench.evaluation.records import Said, ScoredRow, read_records, to_lines
from workbench.project.files import write_atomic
from workbench.prompts.encoding.answers import asked
from workbench.prompts.encoding.writer import is_asked

ID = "id"
"""The column whose text names a row; without it its number does."""


def freeze(example: Example, name: str) -> ScoredRow:
    """The row of an example; `name` is its id."""
    last = example.messages[-1]
    answers = last.role == "assistant"
    before = example.messages[:-1] if answers else example.messages
    return ScoredRow(
        source=example.origin.source,
        row=example.origin.row,
        id=name,
        messages=[
            Said(role=m.role, content=m.content, given=dict(m.given), text_key=m.text_key) for m in before
        ],
        reference=last.content if answers and last.content else None,
        given=dict(last.given) if answers else {},
        text_key=last.text_key if answers else "",
        tags=dict(example.tags),
        blocks=list(example.blocks),
        group=example.group,
        plain=example.plain,
    )


def thaw(row: ScoredRow) -> Example:
    """The example of a row: with its reference, or asking for an answer where it has none."""
    messages = [Message(m.role, m.content, tuple(m.given.items()), m.text_key) for m in row.messages]
    if row.reference is not None or row.given:
        given = tuple(row.given.items())
        messages.append(Message("assistant", row.reference or "", given, row.text_key))
    return Example(
        tuple(messages),
        Origin(row.source, row.row),
        tuple(row.tags.items()),
        row.group,
        tuple(row.blocks),
        row.plain,
    )


def question(example: Example) -> tuple[Message, ...]:
    """The conversation up to where the model answers, for `Encoder.prompt`."""
    if is_asked(example.messages):
        return example.messages
    return asked(example.messages, len(example.messages) - 1)


def true_label(row: ScoredRow, label: str) -> str:
    """The label that a row's answer should have: a tag of the row, or what is given of its answer."""
    return (row.tags.get(label) or row.given.get(label, "")).strip() if label else ""


def write_rows(evaluation: Evaluation, plan: Plan, dataset: Dataset, selection: Selection) -> list[ScoredRow]:
    """Freeze the rows that the plan scores, in the order of sources and rows; they are returned.

    Args:
        evaluation: gets `rows.jsonl`, whole or not at all.
        plan: which side, and how many.
        dataset: the opened sources.
        selection: which of their rows stand on which side.

    Raises:
        WorkbenchError: there are none, a file has changed since, or the disk is full.
    """
    origins = selection.sides[plan.side]
    if not len(origins):
        raise fault(f"there are no {plan.side} rows to evaluate on", "evaluation.rows", _remedy(plan.side))
    take = plan.settings.take
    chosen = list(islice(in_drawn_order(origins, plan.data.seed), take)) if take else list(origins)
    rows = list(_frozen(dataset, sorted(chosen, key=lambda origin: (origin.source, origin.row))))
    write_atomic(evaluation.rows, to_lines(rows))
    return rows


def read_rows(evaluation: Evaluation) -> list[ScoredRow]:
    """The rows as they were frozen; empty before that. Raises WorkbenchError: a broken line."""
    return list(read_records(evaluation.rows, ScoredRow))


def _frozen(dataset: Dataset, origins: list[Origin]) -> Iterator[ScoredRow]:
    for origin in origins:
        example = dataset.example(origin.source, origin.row)
        if not isinstance(example, Example):
            path = dataset.sources[origin.source].path
            raise fault(f"row {origin.row} has changed since it was looked at: {example.reason}", path)
        yield freeze(example, _name(dataset.row(origin.source, origin.row), origin))


def _name(row: Mapping[str, Any], origin: Origin) -> str:
    named = row.get(ID)
    return str(named) if isinstance(named, str | int) and str(named).strip() else str(origin.row)


def _remedy(side: str) -> str:
    if side == "test":
        return 'give a source split = "test", or set evaluation.rows to validation'
    return "raise data.validation" if side == "validation" else "add rows"
