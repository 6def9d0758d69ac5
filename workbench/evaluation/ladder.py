"""All contestants in one table: on the same rows, with the best one marked, and each against the first.

It is read while the evaluation goes on: every line of its files once, every answer checked once.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from workbench.errors import fault
from workbench.evaluation import records
from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.characters import CharacterModel
from workbench.evaluation.checks.registry import check_answer
from workbench.evaluation.folder import Evaluation, Measured
from workbench.evaluation.jobs import read_plan
from workbench.evaluation.labels import LabelScores, score_labels
from workbench.evaluation.lines import Tail
from workbench.evaluation.paired import Paired, Spread, paired, spread
from workbench.evaluation.perplexity import Perplexity, RowLoss, perplexity
from workbench.evaluation.plan import Contestant
from workbench.evaluation.records import Draw, Label, Score, ScoredRow
from workbench.evaluation.rows import read_rows, true_label
from workbench.evaluation.status import read_status

RULE = (
    "best: the lowest mean of the rows' perplexities, over the rows that every finished contestant scored in "
    "all of its draws; contestants that are still at it are not ranked"
)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant by now. Figures of likelihood are over the common rows; None where nothing is measured.

    Attributes:
        name: of the plan.
        finished: all of its rows are there.
        rows: common rows that count here; less than all of them while it is at it.
        skipped: why rows have no score, with their number, over all draws.
        perplexity: mean of the rows' perplexities, as mean and standard deviation over the draws.
        token_weighted: exp of the loss over all scored tokens.
        loss: nats per scored token, as the validation loss of training.
        token_accuracy, sequence_accuracy: shares of tokens, and of references, that are the likeliest.
        answers: how many it wrote, in all draws.
        length: mean tokens of an answer.
        stopped: share of answers that ended with a stop token or text.
        checked: answers that were looked at by now.
        findings: check to the number of these with such a finding, in the order of `checks.CHECKS`.
        labels: of the first draw's answers against the true ones.
        label_accuracy: the same figure over the draws.
        against_first: the rows' perplexities against the first contestant's; of several draws their mean.
        best: by `RULE`.
        left_out: why nothing is measured of it; empty where something is.
        draws: the examples before its prompts.
    """

    name: str
    finished: bool
    rows: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    perplexity: Spread | None = None
    token_weighted: Spread | None = None
    loss: Spread | None = None
    token_accuracy: Spread | None = None
    sequence_accuracy: Spread | None = None
    answers: int = 0
    length: float | None = None
    stopped: float | None = None
    checked: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    labels: LabelScores | None = None
    label_accuracy: Spread | None = None
    against_first: Paired | None = None
    best: bool = False
    left_out: str = ""
    draws: tuple[Draw, ...] = ()

    def share(self, check: str) -> float | None:
        """Share of the checked answers that a check finds; None without any."""
        return self.findings.get(check, 0) / self.checked if self.checked else None


@dataclass(frozen=True, slots=True)
class Table:
    """An evaluation by now.

    Attributes:
        standings: one for each contestant, in the plan's order.
        common: rows that every finished contestant scored.
        total: all rows.
        references: the classifier's labels of the references: how good it is itself.
        remarks: what a reader of the figures has to know.
    """

    standings: tuple[Standing, ...]
    common: int
    total: int
    references: LabelScores | None = None
    remarks: tuple[str, ...] = ()

    @property
    def best(self) -> Standing | None:
        """The best contestant, where there is one."""
        return next((standing for standing in self.standings if standing.best), None)

    @property
    def unchecked(self) -> int:
        """Answers that nobody looked at yet."""
        return sum(standing.answers - standing.checked for standing in self.standings)


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
            references = [row.reference for row in rows if row.reference]
            expected = Expected(characters=CharacterModel(references) if references else None)
            for results in self._results:
                results.know(rows, expected, self.plan.settings.label)
        deadline = time.monotonic() + seconds
        for results in self._results:
            results.catch_up()
        for results in self._results:
            results.check(deadline)
        if self._scored != (scored := [results.scored for results in self._results]):
            self._scored = scored
            self._likelihoods.clear()
        left_out = read_status(self._evaluation).skipped
        scoring = [results for results in self._results if results.scores]
        finished = [results for results in scoring if results.scored_all]
        common = _common(finished)
        standings = [
            self._standing(number, results, common, left_out.get(number, ""), ranked=results in finished)
            for number, results in enumerate(self._results)
        ]
        return Table(
            tuple(_marked(standings, [results in finished for results in self._results])),
            len(common),
            len(self._rows),
            _label_scores(self._rows, self._references(), self.plan.settings.label),
            tuple(self._remarks(finished, common)),
        )

    def _standing(
        self, number: int, results: "_Results", common: set[Key], left_out: str, *, ranked: bool
    ) -> Standing:
        if number not in self._likelihoods:
            self._likelihoods[number] = self._likelihood(number, results, common, ranked=ranked)
        label = self.plan.settings.label
        labels = [_label_scores(self._rows, found, label) for found in results.predicted.values()]
        known = [scores.accuracy for scores in labels if scores]
        return replace(
            self._likelihoods[number],
            finished=results.finished(self.plan.settings.perplexity != "off", self.plan.settings.answers),
            skipped=dict(results.skipped),
            answers=results.answers,
            length=results.tokens / results.answers if results.answers else None,
            stopped=results.stopped / results.answers if results.answers else None,
            checked=results.checked,
            findings=dict(results.findings),
            labels=labels[0] if labels else None,
            label_accuracy=spread(known) if known else None,
            left_out=left_out,
            draws=tuple(results.draws),
        )

    def _likelihood(self, number: int, results: "_Results", common: set[Key], *, ranked: bool) -> Standing:
        """Only the figures of likelihood; the bootstrap of 10,000 rows takes seconds."""
        draws = results.draws_of(common if common else None)
        first, own = (each.row_perplexities(common) for each in (self._results[0], results))
        compared = ranked and number > 0 and self._results[0].scored_all and bool(first)
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

    def _remarks(self, finished: Sequence["_Results"], common: set[Key]) -> Iterable[str]:
        if len(finished) > 1:
            yield f"compared on {len(common)} of {len(self._rows)} rows, those that all have scored"
            lengths = [results.lengths(common) for results in finished]
            if unlike := sum(len({each[key] for each in lengths}) > 1 for key in common):
                yield (
                    f"{unlike} of these rows have another number of scored tokens for another contestant: "
                    "with another tokenizer or template, perplexities are not of the same tokens"
                )


class _Results:
    """What was read of one contestant."""

    def __init__(self, measured: Measured, contestant: Contestant) -> None:
        self.contestant = contestant
        self.scores: dict[int, dict[Key, Score]] = {}
        self.skipped: Counter[str] = Counter()
        self.answers = self.tokens = self.stopped = self._answered = self.scored = 0
        self.checked = 0
        self.findings: Counter[str] = Counter()
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
        self._unchecked: deque[records.Answer] = deque()
        self._answers = measured.answers

    def know(self, rows: Sequence[ScoredRow], expected: Expected, label: str) -> None:
        """The rows, and what answers to them are held against."""
        self._rows = {row.key: row for row in rows}
        self._expected, self._label = expected, label

    def catch_up(self) -> None:
        """Read what is new."""
        scores, answers, labels, draws = self._tails
        for score in scores.read():
            self.scored += 1
            if score.tokens:
                self.scores.setdefault(score.repeat, {})[score.key] = score
            else:
                self.skipped[score.skipped.partition(":")[0]] += 1
        for answer in answers.read():
            self._answered += 1
            if not answer.skipped:
                self.answers += 1
                self.tokens += answer.tokens
                self.stopped += answer.ended in ("stop token", "stop text")
                self._unchecked.append(answer)
        for label in labels.read():
            if label.of == "reference":
                self.referenced[label.key] = label.label
            else:
                self.predicted.setdefault(label.repeat, {})[label.key] = label.label
        self.draws += draws.read()

    @property
    def scored_all(self) -> bool:
        """Every row of every draw has its score, or the reason why not."""
        return self.scored >= len(self._rows) * self.contestant.repeats > 0

    def finished(self, scores: bool, answers: bool) -> bool:
        """All rows that are asked for are there."""
        count = len(self._rows) * self.contestant.repeats
        return count > 0 and not (scores and self.scored < count) and not (answers and self._answered < count)

    def draws_of(self, common: set[Key] | None) -> list[list[Score]]:
        """The scores of each draw, on these rows alone; of all rows with None."""
        found = (
            [score for key, score in scores.items() if common is None or key in common]
            for _, scores in sorted(self.scores.items())
        )
        return [scores for scores in found if scores]

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

    def check(self, deadline: float) -> None:
        """Look at answers until then, by the monotonic clock."""
        while self._unchecked and time.monotonic() < deadline:
            answer = self._unchecked.popleft()
            if (row := self._rows.get(answer.key)) is None:
                raise fault(f"an answer to row {answer.row}, which rows.jsonl does not have", self._answers)
            found = check_answer(to_check(row, answer, self._label), self._expected)
            self.findings.update({finding.check for finding in found})
            self.checked += 1


def to_check(row: ScoredRow, answer: records.Answer, label: str) -> Answer:
    """An answer as the checks look at it: with its question, and all else that the model was told."""
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


def _common(finished: Sequence[_Results]) -> set[Key]:
    """Rows that all of them scored in all draws."""
    sets = [set(scores) for results in finished for scores in results.scores.values()]
    return set.intersection(*sets) if sets else set()


def _marked(standings: Sequence[Standing], ranked: Sequence[bool]) -> list[Standing]:
    """The best one by `RULE`; nothing is best alone."""
    figures = {
        number: standing.perplexity.mean
        for number, (standing, counts) in enumerate(zip(standings, ranked, strict=True))
        if counts and standing.perplexity and standing.perplexity.mean == standing.perplexity.mean
    }
    best = min(figures, key=figures.__getitem__) if len(figures) > 1 else None
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
