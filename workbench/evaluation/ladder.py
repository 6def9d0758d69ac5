"""All contestants in one table: on the same rows, with the best one marked, and each against the first.

It is read while the evaluation goes on: every line of its files once, every answer checked once.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeVar

from workbench.errors import fault
from workbench.evaluation import records
from workbench.evaluation.checking import expected_of, to_check
from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.endings import STOPPED
from workbench.evaluation.checks.registry import CHECKS, check_answer, wrong_intent
from workbench.evaluation.folder import Evaluation, Measured
from workbench.evaluation.jobs import read_plan
from workbench.evaluation.labels import LabelScores, score_labels
from workbench.evaluation.lines import Tail
from workbench.evaluation.paired import Spread, paired, spread
from workbench.evaluation.perplexity import Perplexity, RowLoss, perplexity
from workbench.evaluation.plan import Contestant
from workbench.evaluation.records import Draw, Label, Score, ScoredRow
from workbench.evaluation.rows import read_rows, true_label
from workbench.evaluation.standing import Standing, Table
from workbench.evaluation.status import read_status

Key = tuple[int, int]
_Of = TypeVar("_Of")


class Ladder:
    """The table of one evaluation, kept up to date.

    Raises WorkbenchError: no plan, or a broken one.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.plan = read_plan(evaluation)
        self._rows: list[ScoredRow] = []
        self._results = [
            _Results(evaluation.contestant(number), contestant)
            for number, contestant in enumerate(self.plan.contestants)
        ]
        self._likelihoods: dict[int, Standing] = {}
        self._scored: list[int] = []

    def read(self, seconds: float = math.inf) -> Table:
        """The table now; only what is new is read.

        Args:
            seconds: after which no further answer is checked; the next call goes on. A check takes about a
                millisecond.

        Raises WorkbenchError: a broken line, with its number.
        """
        if not self._rows and (rows := read_rows(self._evaluation)):
            self._rows = rows
            expected = expected_of(self.plan, rows)
            for results in self._results:
                results.know(rows, expected, self.plan.settings.label)
        deadline = time.monotonic() + seconds
        for results in self._results:
            results.catch_up()
        for results in self._results:
            results.check(deadline)
        if self._scored != (counts := [results.scores_read for results in self._results]):
            self._scored = counts
            self._likelihoods.clear()
        left_out = read_status(self._evaluation).skipped
        scored = [results for results in self._results if results.scores and results.scored_all]
        answered = [results for results in self._results if results.told and results.answered_all]
        common = _Common(
            _in_all(draw for results in scored for draw in results.scores.values()),
            _in_all(draw for results in answered for draw in results.told.values()),
            _in_all(draw for results in self._results for draw in results.predicted.values()),
        )
        standings = [
            self._standing(number, results, common, left_out.get(number, ""), compared=results in scored)
            for number, results in enumerate(self._results)
        ]
        return Table(
            tuple(_marked(standings, [bool(common.scored) and each in scored for each in self._results])),
            len(common.scored),
            len(self._rows),
            _label_scores(self._rows, self._references(), self.plan.settings.label),
            tuple(self._remarks(scored, answered, common)),
        )

    def _standing(
        self, number: int, results: "_Results", common: "_Common", left_out: str, *, compared: bool
    ) -> Standing:
        if number not in self._likelihoods:
            self._likelihoods[number] = self._likelihood(number, results, common.scored, compared=compared)
        label = self.plan.settings.label
        labels = [
            _label_scores([row for row in self._rows if row.key in (common.labelled or draw)], draw, label)
            for _, draw in sorted(results.predicted.items())
        ]
        known = [scores.accuracy for scores in labels if scores]
        told = [each for draw in _of_rows(results.told, common.answered) for each in draw]
        checked = [each.found for each in told if each.found is not None]
        counts = Counter(check for found in checked for check in found)
        counts["wrong-intent"] = results.wrong_intents(common.answered)
        finished = results.finished(self.plan.settings.perplexity != "off", self.plan.settings.answers)
        return replace(
            self._likelihoods[number],
            finished=finished,
            skipped=dict(results.skipped),
            answers=len(told),
            length=fmean(each.tokens for each in told) if told else None,
            stopped=fmean(each.stopped for each in told) if told else None,
            checked=len(checked),
            findings={check: counts[check] for check in CHECKS if counts[check]},
            labels=labels[0] if labels else None,
            label_accuracy=spread(known) if known else None,
            unanswered=dict(results.unanswered),
            ranked=finished
            and bool(common.scored or not results.scores)
            and bool(common.answered or not results.told),
            left_out=left_out,
            draws=tuple(results.draws),
        )

    def _likelihood(self, number: int, results: "_Results", common: set[Key], *, compared: bool) -> Standing:
        """Only the figures of likelihood; the bootstrap of 10,000 rows takes seconds."""
        draws = _of_rows(results.scores, common)
        first, own = (each.row_perplexities(common) for each in (self._results[0], results))
        compared = compared and number > 0 and self._results[0].scored_all and bool(first)
        return Standing(
            name=results.contestant.name,
            finished=False,
            rows=max(map(len, draws), default=0),
            perplexity=_over(draws, lambda scores: _figures(scores).course),
            token_weighted=_over(draws, lambda scores: _figures(scores).token_weighted),
            loss=_over(draws, lambda scores: _per_token(scores, lambda score: score.nll)),
            token_accuracy=_over(draws, lambda scores: _per_token(scores, lambda score: score.correct)),
            sequence_accuracy=_over(draws, lambda s: fmean(each.correct == each.tokens for each in s)),
            against_first=paired(own, first, lower_is_better=True) if compared else None,
        )

    def _references(self) -> dict[Key, str]:
        """The classifier's labels of the references stand beside the first contestant's."""
        return self._results[0].referenced if self._results else {}

    def _remarks(
        self, scored: Sequence["_Results"], answered: Sequence["_Results"], common: "_Common"
    ) -> Iterable[str]:
        total = len(self._rows)
        if len(scored) > 1 and not common.scored:
            yield "no row was scored by all: each perplexity is of other rows, and none is the best"
        elif len(scored) > 1:
            yield f"compared on {len(common.scored)} of {total} rows, those that all have scored"
            lengths = [results.lengths(common.scored) for results in scored]
            if unlike := sum(len({each[key] for each in lengths}) > 1 for key in common.scored):
                yield (
                    f"{unlike} of these rows have another number of scored tokens for another contestant: "
                    "with another tokenizer or template, perplexities are not of the same tokens"
                )
        if len(answered) > 1 and not common.answered:
            yield "no row was answered by all: answers are of other rows each, and none are the best"
        elif len(answered) > 1 and len(common.answered) < total:
            count = len(common.answered)
            yield f"answers are compared on {count} of {total} rows, those that all have answered"


@dataclass(frozen=True, slots=True)
class _Common:
    """Rows on which contestants can be held against each other, by what was measured of them."""

    scored: set[Key]
    answered: set[Key]
    labelled: set[Key]


@dataclass(slots=True)
class _Told:
    """What counts of one answer: its tokens, whether the model ended it, which checks found something; None
    while nobody looked."""

    tokens: int
    stopped: bool
    found: frozenset[str] | None = None


class _Results:
    """What was read of one contestant."""

    def __init__(self, measured: Measured, contestant: Contestant) -> None:
        self.contestant = contestant
        self.scores: dict[int, dict[Key, Score]] = {}
        self.skipped: Counter[str] = Counter()
        self.told: dict[int, dict[Key, _Told]] = {}
        self.unanswered: Counter[str] = Counter()
        self.predicted: dict[int, dict[Key, str]] = {}
        self.referenced: dict[Key, str] = {}
        self.draws: list[Draw] = []
        self._tails = (
            Tail(measured.scores, Score),
            Tail(measured.answers, records.Answer),
            Tail(measured.labels, Label),
            Tail(measured.shots, Draw),
        )
        self._rows: dict[Key, ScoredRow] = {}
        self._expected, self._label = Expected(), ""
        self._unchecked: deque[tuple[records.Answer, _Told]] = deque()
        self._answers = measured.answers
        self.scores_read = self._answered = 0

    def know(self, rows: Sequence[ScoredRow], expected: Expected, label: str) -> None:
        """The rows, and what answers to them are held against."""
        self._rows = {row.key: row for row in rows}
        self._expected, self._label = expected, label

    def catch_up(self) -> None:
        """Read what is new."""
        scores, answers, labels, draws = self._tails
        for score in scores.read():
            self.scores_read += 1
            if score.tokens:
                self.scores.setdefault(score.repeat, {})[score.key] = score
            else:
                self.skipped[score.skipped.partition(":")[0]] += 1
        for answer in answers.read():
            self._answered += 1
            if answer.skipped:
                self.unanswered[answer.skipped.partition(":")[0]] += 1
            else:
                told = _Told(answer.tokens, answer.ended in STOPPED)
                self.told.setdefault(answer.repeat, {})[answer.key] = told
                self._unchecked.append((answer, told))
        for label in labels.read():
            if label.of == "reference":
                self.referenced[label.key] = label.label
            else:
                self.predicted.setdefault(label.repeat, {})[label.key] = label.label
        self.draws += draws.read()

    @property
    def scored_all(self) -> bool:
        """Every row of every draw has its score, or the reason why not."""
        return self.scores_read >= len(self._rows) * self.contestant.repeats > 0

    @property
    def answered_all(self) -> bool:
        """Every row of every draw has its answer, or the reason why not."""
        return self._answered >= len(self._rows) * self.contestant.repeats > 0

    def finished(self, scores: bool, answers: bool) -> bool:
        """All rows that are asked for are there."""
        return bool(self._rows) and (self.scored_all or not scores) and (self.answered_all or not answers)

    def row_perplexities(self, common: set[Key]) -> dict[Key, float]:
        """Of each of these rows the mean over the draws."""
        found: dict[Key, list[float]] = {}
        for scores in self.scores.values():
            rows = [score for key, score in scores.items() if key in common]
            for score, row in zip(rows, _figures(rows).rows, strict=True):
                found.setdefault(score.key, []).append(row.perplexity)
        return {key: fmean(values) for key, values in found.items()}

    def lengths(self, common: set[Key]) -> dict[Key, int]:
        """Scored tokens of each of these rows."""
        first = next(iter(self.scores.values()), {})
        return {key: first[key].tokens for key in common if key in first}

    def wrong_intents(self, common: set[Key]) -> int:
        """Checked answers to these rows, to all where there are none, whose label is not the true one.

        Counted apart: labels come when all answers have been checked.
        """
        return sum(
            told.found is not None
            and (not common or key in common)
            and self._is_wrong(key, self.predicted.get(repeat, {}).get(key))
            for repeat, draw in self.told.items()
            for key, told in draw.items()
        )

    def _is_wrong(self, key: Key, predicted: str | None) -> bool:
        labels = Answer("", label=true_label(self._rows[key], self._label), predicted=predicted)
        return bool(wrong_intent(labels, self._expected))

    def check(self, deadline: float) -> None:
        """Look at answers until then, by the monotonic clock."""
        while self._unchecked and time.monotonic() < deadline:
            answer, told = self._unchecked.popleft()
            if (row := self._rows.get(answer.key)) is None:
                raise fault(f"an answer to row {answer.row}, which rows.jsonl does not have", self._answers)
            found = check_answer(to_check(row, answer, self._label), self._expected)
            told.found = frozenset(finding.check for finding in found)


def _in_all(draws: Iterable[Collection[Key]]) -> set[Key]:
    """Rows that all of these draws have."""
    sets = [set(draw) for draw in draws]
    return set.intersection(*sets) if sets else set()


def _of_rows(draws: Mapping[int, Mapping[Key, _Of]], common: set[Key]) -> list[list[_Of]]:
    """What each draw has of the common rows; of all its rows where there are none in common."""
    found = (
        [each for key, each in draw.items() if not common or key in common]
        for _, draw in sorted(draws.items())
    )
    return [each for each in found if each]


def _marked(standings: Sequence[Standing], ranked: Sequence[bool]) -> list[Standing]:
    """The best one by `RULE`; nothing is best alone, or where all are alike."""
    figures = {
        number: standing.perplexity.mean
        for number, (standing, counts) in enumerate(zip(standings, ranked, strict=True))
        if counts and standing.perplexity and math.isfinite(standing.perplexity.mean)
    }
    best = min(figures, key=figures.__getitem__) if len(set(figures.values())) > 1 else None
    return [replace(standing, best=number == best) for number, standing in enumerate(standings)]


def _over(draws: Sequence[list[Score]], of: Callable[[list[Score]], float | None]) -> Spread | None:
    """Draw by draw: two draws are two experiments, not one with more rows."""
    values = [value for scores in draws if (value := of(scores)) is not None]
    return spread(values) if values else None


def _figures(scores: Sequence[Score]) -> Perplexity:
    return perplexity(RowLoss(number, each.nll, each.tokens) for number, each in enumerate(scores))


def _per_token(scores: Sequence[Score], of: Callable[[Score], float]) -> float:
    return sum(map(of, scores)) / sum(score.tokens for score in scores)


def _label_scores(rows: Sequence[ScoredRow], found: dict[Key, str], label: str) -> LabelScores | None:
    known = [row for row in rows if row.key in found and true_label(row, label)]
    if not known:
        return None
    true = [true_label(row, label) for row in known]
    return score_labels(true=true, predicted=[found[row.key] for row in known])
