"""The checks over all answers of a contestant: how many rows each one finds, and the worst of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.evaluation.checks.answer import NOTHING_MORE, Answer, Expected, Finding
from workbench.evaluation.checks.registry import CHECKS, check_answer
from workbench.evaluation.intervals import Interval, wilson

WORST = 20
"""Rows that a count names."""


@dataclass(frozen=True, slots=True)
class Count:
    """One check over all rows.

    Attributes:
        check: its name.
        rows: rows with such a finding.
        share: of all rows.
        interval: of the share, Wilson's, 95 per cent.
        worst: row and figure, the highest figure first, then in the order of the rows.
    """

    check: str
    rows: int
    share: float
    interval: Interval
    worst: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All checks over all rows.

    Attributes:
        rows: how many answers there are.
        clean: answers without any finding.
        counts: one a check, in the order of `CHECKS`, those without findings too.
        findings: row to what was found; rows without findings are absent.
        characters: mean length of an answer.
        stopped: share of the answers that the model ended itself; None where no answer tells.
    """

    rows: int
    clean: int
    counts: tuple[Count, ...]
    findings: dict[int, list[Finding]]
    characters: float
    stopped: float | None

    @property
    def total(self) -> int:
        """Rows with a finding, summed over the checks."""
        return sum(count.rows for count in self.counts)

    def share(self, check: str) -> float:
        """Share of the rows that one check finds."""
        return next(count.share for count in self.counts if count.check == check)


def check_answers(answers: Iterable[tuple[int, Answer]], expected: Expected = NOTHING_MORE) -> Summary:
    """Put every answer, with the number of its row, through all checks."""
    findings: dict[int, list[Finding]] = {}
    rows = characters = told = not_stopped = 0
    for row, answer in answers:
        rows += 1
        characters += len(answer.text)
        told += bool(answer.ended)
        if found := check_answer(answer, expected):
            findings[row] = found
            not_stopped += any(finding.check == "not-stopped" for finding in found)
    return Summary(
        rows=rows,
        clean=rows - len(findings),
        counts=tuple(_count(name, findings, rows) for name in CHECKS),
        findings=findings,
        characters=characters / rows if rows else 0.0,
        stopped=1 - not_stopped / told if told else None,
    )


def _count(check: str, findings: dict[int, list[Finding]], rows: int) -> Count:
    figures = {
        row: max(finding.figure for finding in found if finding.check == check)
        for row, found in findings.items()
        if any(finding.check == check for finding in found)
    }
    worst = sorted(figures.items(), key=lambda item: -item[1])[:WORST]
    share = len(figures) / rows if rows else 0.0
    return Count(check, len(figures), share, wilson(len(figures), rows), tuple(worst))
