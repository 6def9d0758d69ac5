"""What an evaluation has measured by now, row by row: its files read and joined."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from workbench.evaluation import records
from workbench.evaluation.checking import expected_of, to_check
from workbench.evaluation.checks.answer import Answer, Expected, Finding
from workbench.evaluation.checks.registry import check_answer
from workbench.evaluation.checks.summary import Summary, check_answers
from workbench.evaluation.folder import Evaluation, Measured
from workbench.evaluation.jobs import read_plan
from workbench.evaluation.perplexity import perplexity_of
from workbench.evaluation.plan import Plan
from workbench.evaluation.records import Label, Score, ScoredRow, read_records
from workbench.evaluation.rows import read_rows, true_label

Key = tuple[int, int]


@dataclass(frozen=True)
class RowResult:
    """One row as one contestant did it; of few-shot examples that were drawn anew, the first draw answers.

    Attributes:
        row: what was asked, and the reference.
        perplexity: of the reference, the mean over all draws; None where no token of it was scored.
        skipped: why none was scored, or why there is no answer; empty where nothing is missing.
        answer: what it wrote; None where it wrote nothing yet.
        findings: what the checks found in that.
        true, predicted: the label that the answer should have, and the one that the classifier gives it;
            empty where there is none.
    """

    row: ScoredRow
    perplexity: float | None
    skipped: str
    answer: records.Answer | None
    findings: tuple[Finding, ...]
    true: str
    predicted: str

    @property
    def wrong(self) -> bool:
        """Both labels are known and differ."""
        return bool(self.true and self.predicted) and self.true != self.predicted


class Results:
    """What one contestant did, from its files; an answer is checked when it is asked for, and once.

    Attributes:
        scores, answers, labels: the lines of its files.
    """

    def __init__(
        self,
        measured: Measured,
        rows: Sequence[ScoredRow],
        label: str,
        expected: Expected,
        before: "Results | None" = None,
    ) -> None:
        """`before`: an earlier reading of the same files, whose answers need not be checked again."""
        self._rows, self._label, self._expected = rows, label, expected
        self.scores = list(read_records(measured.scores, Score))
        self.answers = list(read_records(measured.answers, records.Answer))
        self.labels = list(read_records(measured.labels, Label))
        # With its label: one that the classifier has looked at meanwhile is checked again
        self._found: dict[tuple[Key, str | None], tuple[Finding, ...]] = dict(before._found) if before else {}

    @cached_property
    def first_answers(self) -> dict[Key, records.Answer]:
        """Those of the first draw, by row."""
        return {answer.key: answer for answer in self.answers if answer.repeat == 0}

    @cached_property
    def checks(self) -> Summary:
        """All checks over the first answers; rows are numbered as in the evaluation."""
        return check_answers(
            (
                (number, self._to_check(row, answer))
                for number, row in enumerate(self._rows)
                if (answer := self.first_answers.get(row.key)) is not None and not answer.skipped
            ),
            self._expected,
        )

    @cached_property
    def predicted(self) -> dict[Key, str]:
        """The label that the classifier gives each first answer."""
        return {each.key: each.label for each in self.labels if each.of == "answer" and each.repeat == 0}

    @cached_property
    def worst_first(self) -> list[RowResult]:
        """The rows it is worst at first: by perplexity, then by what the checks found and wrong labels.

        Checks every answer: about 2 ms for one of 700 characters.
        """
        return sorted(map(self.row, range(len(self._rows))), key=_badness)

    def row(self, number: int) -> RowResult:
        """What it did with one row of the evaluation, counted from 0."""
        row = self._rows[number]
        scores = self._scored.get(row.key, [])
        known = [perplexity_of(score.nll, score.tokens) for score in scores if score.tokens]
        answer = self.first_answers.get(row.key)
        reasons = [score.skipped for score in scores] + ([answer.skipped] if answer else [])
        return RowResult(
            row,
            sum(known) / len(known) if known else None,
            next(filter(None, reasons), ""),
            answer if answer and not answer.skipped else None,
            self._findings(row, answer) if answer and not answer.skipped else (),
            true_label(row, self._label),
            self.predicted.get(row.key, ""),
        )

    @cached_property
    def _scored(self) -> dict[Key, list[Score]]:
        scored: dict[Key, list[Score]] = {}
        for score in self.scores:
            scored.setdefault(score.key, []).append(score)
        return scored

    def _findings(self, row: ScoredRow, answer: records.Answer) -> tuple[Finding, ...]:
        known = row.key, self.predicted.get(row.key)
        if known not in self._found:
            self._found[known] = tuple(check_answer(self._to_check(row, answer), self._expected))
        return self._found[known]

    def _to_check(self, row: ScoredRow, answer: records.Answer) -> Answer:
        return to_check(row, answer, self._label, self.predicted.get(row.key))


@dataclass(frozen=True)
class Contents:
    """An evaluation with all that it has measured by now.

    Attributes:
        rows: empty before they are known.
        expected: what answers to them are held against.
        results: one for each contestant of the plan.
    """

    evaluation: Evaluation
    plan: Plan
    rows: list[ScoredRow]
    expected: Expected
    results: list[Results]


def read_contents(evaluation: Evaluation, before: Contents | None = None) -> Contents:
    """Everything that is there.

    Args:
        before: an earlier reading of the same evaluation: what was checked then is not checked again.

    Raises:
        WorkbenchError: no plan, or a broken line, with its number.
    """
    plan, rows = read_plan(evaluation), read_rows(evaluation)
    expected = before.expected if before and before.rows else expected_of(plan, rows)
    results = [
        Results(
            evaluation.contestant(number),
            rows,
            plan.settings.label,
            expected,
            before.results[number] if before and before.rows else None,
        )
        for number in range(len(plan.contestants))
    ]
    return Contents(evaluation, plan, rows, expected, results)


def question(row: ScoredRow) -> str:
    """What the user says last; empty where nobody asks."""
    return next((said.content for said in reversed(row.messages) if said.role == "user"), "")


def _badness(result: RowResult) -> tuple[float, int, bool]:
    """Sorts the worst first: what is no number before all else, what was not measured last."""
    rank = math.inf if result.perplexity is None else -result.perplexity
    return -math.inf if math.isnan(rank) else rank, -len(result.findings), not result.wrong
