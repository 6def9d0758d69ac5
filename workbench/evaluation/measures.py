"""The figures of a contestant, each with its name, its meaning in a line, and which way is better."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.evaluation.contents import Contents, Results
from workbench.evaluation.labels import LabelScores
from workbench.evaluation.perplexity import Perplexity, RowLoss, perplexity
from workbench.evaluation.records import Score


@dataclass(frozen=True)
class Figure:
    """One figure of one contestant.

    Attributes:
        value: over all rows; of few-shot examples that were drawn anew, the mean over the draws.
        spread: standard deviation over the draws (n - 1); None where there are not several.
    """

    value: float
    spread: float | None = None


@dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes:
        name: what it is called in a sentence.
        title: the same in nine letters at most.
        about: what it is, one line.
        better: which way; empty where neither is.
        share: it is a share of something, from 0 to 1.
        of: the figure of a contestant; None where it was not measured.
    """

    name: str
    title: str
    about: str
    better: Literal["lower", "higher", ""]
    share: bool
    of: Callable[[Results], Figure | None]

    @property
    def line(self) -> str:
        """What it is, with a sign for the way that is better; at most 78 cells."""
        sign = {"lower": " ↓", "higher": " ↑", "": ""}[self.better]
        return f"{self.name}{sign}: {self.about}"

    def text(self, figure: Figure | None) -> str:
        """The figure as it is written; empty where it was not measured."""
        if figure is None:
            return ""
        if self.share:
            return f"{figure.value:.1%}"
        return _number(figure.value) + ("" if figure.spread is None else f"±{_number(figure.spread)}")

    def best(self, figures: Sequence[Figure | None]) -> set[int]:
        """Which of these are the best ones; none where neither way is better, or there is only one."""
        known = {n: each.value for n, each in enumerate(figures) if each and math.isfinite(each.value)}
        if not self.better or len(known) < 2:
            return set()
        best = min(known.values()) if self.better == "lower" else max(known.values())
        return {number for number, value in known.items() if value == best}


def _by_draw(of: Callable[[list[Score]], float | None]) -> Callable[[Results], Figure | None]:
    """Draw by draw, then the mean of what was measured: two draws are two experiments, not one with more rows."""

    def figure(results: Results) -> Figure | None:
        draws: dict[int, list[Score]] = {}
        for score in results.scores:
            draws.setdefault(score.repeat, []).append(score)
        values = [value for scores in draws.values() if (value := of(scores)) is not None]
        if not values:
            return None
        mean = sum(values) / len(values)
        if len(values) == 1:
            return Figure(mean)
        squares = sum((value - mean) ** 2 for value in values)
        return Figure(mean, math.sqrt(squares / (len(values) - 1)))

    return figure


def _perplexity(scores: list[Score]) -> Perplexity:
    return perplexity(
        RowLoss(number, score.nll, score.tokens, score.skipped) for number, score in enumerate(scores)
    )


def _loss(scores: list[Score]) -> float | None:
    tokens = sum(score.tokens for score in scores)
    return sum(score.nll for score in scores if score.tokens) / tokens if tokens else None


def _token_accuracy(scores: list[Score]) -> float | None:
    tokens = sum(score.tokens for score in scores)
    return sum(score.correct for score in scores) / tokens if tokens else None


def _sequence_accuracy(scores: list[Score]) -> float | None:
    scored = [score for score in scores if score.tokens]
    return sum(score.correct == score.tokens for score in scored) / len(scored) if scored else None


def _of_answers(of: Callable[[Results], float | None]) -> Callable[[Results], Figure | None]:
    def figure(results: Results) -> Figure | None:
        value = of(results) if results.checks.rows else None
        return None if value is None else Figure(value)

    return figure


def _length(results: Results) -> float:
    written = [answer.tokens for answer in results.first_answers.values() if not answer.skipped]
    return sum(written) / len(written)


def _of_labels(of: Callable[[LabelScores], float]) -> Callable[[Results], Figure | None]:
    def figure(results: Results) -> Figure | None:
        return None if results.label_scores is None else Figure(of(results.label_scores))

    return figure


MEASURES: tuple[Measure, ...] = (
    Measure(
        "perplexity, mean of rows",
        "ppl rows",
        "exp(loss) of each reference, then their mean; as ppl.py has it",
        "lower",
        False,
        _by_draw(lambda scores: _perplexity(scores).course),
    ),
    Measure(
        "perplexity, by token",
        "ppl token",
        "exp(loss of all scored tokens): long references count more",
        "lower",
        False,
        _by_draw(lambda scores: _perplexity(scores).token_weighted),
    ),
    Measure(
        "loss",
        "loss",
        "nats per scored token of the references, as training has it",
        "lower",
        False,
        _by_draw(_loss),
    ),
    Measure(
        "token accuracy",
        "tokens",
        "share of the references' tokens that are the likeliest ones",
        "higher",
        True,
        _by_draw(_token_accuracy),
    ),
    Measure(
        "sequence accuracy",
        "whole",
        "share of references all of whose tokens are likeliest",
        "higher",
        True,
        _by_draw(_sequence_accuracy),
    ),
    Measure(
        "label accuracy",
        "labels",
        "share of answers that get the label they should have",
        "higher",
        True,
        _of_labels(lambda scores: scores.accuracy),
    ),
    Measure(
        "majority baseline",
        "baseline",
        "accuracy of always saying the most frequent label",
        "",
        True,
        _of_labels(lambda scores: scores.baseline.accuracy),
    ),
    Measure(
        "weighted F1",
        "F1 weight",
        "F1 of each label, weighted by the rows that truly have it",
        "higher",
        False,
        _of_labels(lambda scores: scores.weighted.f1),
    ),
    Measure(
        "macro F1",
        "F1 macro",
        "F1 of each label, plain mean: rare labels count as much",
        "higher",
        False,
        _of_labels(lambda scores: scores.macro.f1),
    ),
    Measure(
        "looping answers",
        "loops",
        "share of answers that fall into a loop to their end",
        "lower",
        True,
        _of_answers(lambda results: results.checks.share("loop")),
    ),
    Measure(
        "repeating answers",
        "repeats",
        "share of answers whose lines or words come again",
        "lower",
        True,
        _of_answers(lambda results: results.checks.share("repetition")),
    ),
    Measure(
        "stop rate",
        "stopped",
        "share of answers that the model ended itself",
        "higher",
        True,
        _of_answers(lambda results: results.checks.stopped),
    ),
    Measure("length", "length", "tokens of an answer, mean", "", False, _of_answers(_length)),
    Measure(
        "clean answers",
        "clean",
        "share of answers in which no check finds anything (h)",
        "higher",
        True,
        _of_answers(lambda results: results.checks.clean / results.checks.rows),
    ),
)
"""In the order of the table."""


@dataclass(frozen=True)
class Ranking:
    """The table of an evaluation.

    Attributes:
        names: of the contestants, one a row.
        measures: those that were measured of one contestant at least.
        figures: by measure, one for each contestant.
    """

    names: list[str]
    measures: list[Measure]
    figures: list[list[Figure | None]]

    def cell(self, measure: int, contestant: int) -> str:
        """A figure as it is written, the best ones with a star behind."""
        figures = self.figures[measure]
        star = "*" if contestant in self.measures[measure].best(figures) else ""
        return self.measures[measure].text(figures[contestant]) + star


def ranking(contents: Contents) -> Ranking:
    """The table of what is measured by now."""
    columns = [(measure, [measure.of(results) for results in contents.results]) for measure in MEASURES]
    known = [(measure, figures) for measure, figures in columns if any(figures)]
    names = [contestant.name for contestant in contents.plan.contestants]
    return Ranking(names, [measure for measure, _ in known], [figures for _, figures in known])


def _number(value: float) -> str:
    return f"{value:.4g}" if value < 1e4 else f"{value:.2e}"
