"""What the checks look at in an answer of an evaluation, and what they hold it against."""

from collections.abc import Sequence

from workbench.evaluation import records
from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.characters import CharacterModel
from workbench.evaluation.records import ScoredRow
from workbench.evaluation.rows import true_label


def expected_of(rows: Sequence[ScoredRow]) -> Expected:
    """What holds for all answers to these rows: how their references look, letter by letter."""
    references = [row.reference for row in rows if row.reference]
    return Expected(characters=CharacterModel(references) if references else None)


def to_check(row: ScoredRow, answer: records.Answer, label: str) -> Answer:
    """An answer with its question, and all else that the model was told."""
    asked = [said.content for said in row.messages if said.role == "user"]
    others = [said.content for said in row.messages if said.content not in asked[-1:]]
    return Answer(
        text=answer.text,
        question=asked[-1] if asked else "",
        facts=(*others, *(text for _, text in row.blocks)),
        reference=row.reference or "",
        ended=answer.ended,
        label=true_label(row, label),
    )
