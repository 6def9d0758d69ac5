"""The columns of the ladder: each figure with its name, its meaning in a line, and which way is better."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evaluation.labels import LabelScores
from workbench.evaluation.paired import Spread
from workbench.evaluation.perplexity import COURSE, SCORED, TOKEN_WEIGHTED
from workbench.evaluation.plan import Plan
from workbench.evaluation.standing import RULE, Standing, Table
from workbench.prompts.survey.checks.seen import rows


@dataclass(frozen=True)
class Measure:
    """One column.

    Attributes:
        name: what it is called in a sentence.
        title: the same in nine letters at most.
        about: what it is.
        better: which way; empty where neither is.
        share: it is a share of something, from 0 to 1.
        of: the figure of a contestant; None where it was not measured.
        definition: the whole of it, where a line has no room for that.
    """

    name: str
    title: str
    about: str
    better: Literal["lower", "higher", ""]
    share: bool
    of: Callable[[Standing], Spread | None]
    definition: str = ""

    @property
    def line(self) -> str:
        """What it is, with a sign for the way that is better; at most 76 cells."""
        sign = {"lower": " ↓", "higher": " ↑", "": ""}[self.better]
        return f"{self.name}{sign}: {self.about}"

    def text(self, figure: Spread | None) -> str:
        """The figure as it is written; empty where it was not measured."""
        if figure is None:
            return ""
        if self.share:
            return f"{figure.mean:.1%}" + ("" if figure.sd is None else f"±{figure.sd:.1%}".rstrip("%"))
        return _number(figure.mean) + ("" if figure.sd is None else f"±{figure.sd:.2g}")

    def best(self, figures: Sequence[Spread | None]) -> set[int]:
        """Which of these are the best ones; none where neither way is better, or all are alike."""
        known = {n: each.mean for n, each in enumerate(figures) if each and math.isfinite(each.mean)}
        if not self.better or len(set(known.values())) < 2:
            return set()
        best = min(known.values()) if self.better == "lower" else max(known.values())
        return {number for number, value in known.items() if value == best}


def _once(value: float | None) -> Spread | None:
    return None if value is None else Spread(value, None, 1)


def _labels(of: Callable[[LabelScores], float]) -> Callable[[Standing], Spread | None]:
    return lambda standing: _once(of(standing.labels)) if standing.labels else None


MEASURES: tuple[Measure, ...] = (
    Measure(
        "perplexity of rows",
        "ppl rows",
        "exp(loss) of each reference, then their plain mean",
        "lower",
        False,
        lambda standing: standing.perplexity,
        COURSE,
    ),
    Measure(
        "perplexity by token",
        "ppl token",
        "exp(loss of all scored tokens): long ones count more",
        "lower",
        False,
        lambda standing: standing.token_weighted,
        TOKEN_WEIGHTED,
    ),
    Measure(
        "loss",
        "loss",
        "nats per scored token of the references, as training has it",
        "lower",
        False,
        lambda standing: standing.loss,
    ),
    Measure(
        "token accuracy",
        "tokens",
        "share of the references' tokens that are the likeliest",
        "higher",
        True,
        lambda standing: standing.token_accuracy,
    ),
    Measure(
        "sequence accuracy",
        "whole",
        "share of references all of whose tokens are likeliest",
        "higher",
        True,
        lambda standing: standing.sequence_accuracy,
    ),
    Measure(
        "label accuracy",
        "labels",
        "share of answers that get the label they should have",
        "higher",
        True,
        lambda standing: standing.label_accuracy,
    ),
    Measure(
        "majority baseline",
        "baseline",
        "label accuracy of always saying the most frequent one",
        "",
        True,
        _labels(lambda scores: scores.baseline.accuracy),
    ),
    Measure(
        "weighted F1",
        "F1 weight",
        "F1 of each label, weighted by the rows that truly have it",
        "higher",
        False,
        _labels(lambda scores: scores.weighted.f1),
    ),
    Measure(
        "macro F1",
        "F1 macro",
        "F1 of each label, plain mean: rare labels count as much",
        "higher",
        False,
        _labels(lambda scores: scores.macro.f1),
    ),
    Measure(
        "looping answers",
        "loops",
        "share of answers that fall into a loop",
        "lower",
        True,
        lambda standing: _once(standing.share("loop")),
    ),
    Measure(
        "repeating answers",
        "repeats",
        "share of answers that repeat themselves",
        "lower",
        True,
        lambda standing: _once(standing.share("repetition")),
    ),
    Measure(
        "stop rate",
        "stopped",
        "share of answers that the model ended itself",
        "higher",
        True,
        lambda standing: _once(standing.stopped),
    ),
    Measure(
        "length", "length", "tokens of an answer, mean", "", False, lambda standing: _once(standing.length)
    ),
    Measure(
        "better than the first",
        "beats 1st",
        "share of rows whose perplexity is lower than its",
        "higher",
        True,
        lambda standing: _wins(standing),
    ),
)
"""In the order of the table."""


def measured(table: Table) -> list[Measure]:
    """The columns in which there is a figure of one contestant at least."""
    return [measure for measure in MEASURES if any(measure.of(each) for each in table.standings)]


def cell(measure: Measure, table: Table, number: int) -> str:
    """The figure of a contestant as it is written; a star behind the best of those that are ranked."""
    ranked = [measure.of(standing) if standing.ranked else None for standing in table.standings]
    figure = measure.of(table.standings[number])
    return measure.text(figure) + ("*" if number in measure.best(ranked) else "")


def against(standing: Standing, first: str) -> str:
    """How it did against the first contestant, row by row, in one line; empty where that was not measured."""
    found = standing.against_first
    if found is None or found.difference is None or found.interval is None:
        return ""
    low, high = found.interval
    said = {True: "better than", False: "worse than", None: "not told apart from"}[found.better]
    remarks = "".join(f"; {remark}" for remark in found.remarks)
    return (
        f"{standing.name} is {said} {first}: of {rows(found.rows)} {found.wins:,} with a lower perplexity, "
        f"{found.losses:,} with a higher one, sign test p = {found.sign_p:.2g}; mean difference "
        f"{found.difference:.4g} (95%: {low:.4g} to {high:.4g}){remarks}"
    )


def missing(standing: Standing) -> list[str]:
    """What of a contestant has no score or no answer, and why, in a line each."""
    if standing.left_out:
        return [f"{standing.name} is left out: {standing.left_out}"]
    lacking = (("a score", standing.skipped), ("an answer", standing.unanswered))
    return [f"{standing.name}: {_lacking(what, reasons)}" for what, reasons in lacking if reasons]


def _lacking(what: str, reasons: Mapping[str, int]) -> str:
    most = max(reasons, key=reasons.__getitem__)
    others = {1: "", 2: "; 1 other reason"}.get(len(reasons), f"; {len(reasons) - 1} other reasons")
    return f"{rows(sum(reasons.values()))} without {what}: {most}{others}"


def told(table: Table, plan: Plan) -> list[str]:
    """What is to be said beside the figures: the best, who is told apart from the first, what is missing, and
    which tokens count."""
    first = table.standings[0].name
    lines = [] if table.best is None else [f"{table.best.name} is {RULE}"]
    lines += [line for standing in table.standings if (line := against(standing, first))]
    lines += [line for standing in table.standings for line in missing(standing)]
    return [*lines, SCORED[plan.settings.perplexity]] if plan.settings.perplexity in SCORED else lines


def _wins(standing: Standing) -> Spread | None:
    found = standing.against_first
    return _once(found.wins / found.rows) if found and found.rows else None


def _number(value: float) -> str:
    return f"{value:.4g}" if not value >= 1e4 else f"{value:.2e}"
