"""What the checks look at in an answer of an evaluation, and what they hold it against."""

from collections.abc import Sequence

from workbench.errors import WorkbenchError
from workbench.evaluation import records
from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.characters import CharacterModel
from workbench.evaluation.plan import Plan
from workbench.evaluation.records import ScoredRow
from workbench.evaluation.rows import true_label
from workbench.project.base_model import locate
from workbench.prompts.tokenizer import load_tokenizer


def expected_of(plan: Plan, rows: Sequence[ScoredRow]) -> Expected:
    """What holds for all answers to these rows: the plan's limits, the special tokens of its models, and how
    the references look, letter by letter. Reads tokenizer files.
    """
    references = [row.reference for row in rows if row.reference]
    return Expected(
        special_tokens=_special_tokens(plan),
        shortest=plan.settings.shortest_answer,
        longest=plan.settings.longest_answer,
        characters=CharacterModel(references) if references else None,
    )


def to_check(row: ScoredRow, answer: records.Answer, label: str, predicted: str | None = None) -> Answer:
    """An answer with its question, and all else that the model was told.

    Args:
        row: what was answered.
        answer: one that was not skipped.
        label: the tag that holds the true label.
        predicted: what the classifier says; None where it has not looked yet.
    """
    asked = [said.content for said in row.messages if said.role == "user"]
    others = [said.content for said in row.messages if said.content not in asked[-1:]]
    return Answer(
        text=answer.text,
        question=asked[-1] if asked else "",
        facts=(*others, *(text for _, text in row.blocks)),
        reference=row.reference or "",
        ended=answer.ended,
        label=true_label(row, label),
        predicted=predicted,
    )


def _special_tokens(plan: Plan) -> tuple[str, ...]:
    """Of all contestants together, so that the same holds for each; a base model that is gone has none."""
    targets = [each.target for each in plan.contestants]
    found = {token for target in targets for token in target.prompt.special_tokens}
    for base, project_folder in {target.base: target.project_folder for target in targets}.items():
        try:
            found |= load_tokenizer(locate(base, project_folder, weights=False).folder).special_texts
        except WorkbenchError:
            continue
    return tuple(sorted(found))
