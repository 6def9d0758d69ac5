"""What a table of contestants holds: a line for each, and what a reader of the figures has to know."""

from dataclasses import dataclass, field

from workbench.evaluation.labels import LabelScores
from workbench.evaluation.paired import Paired, Spread
from workbench.evaluation.records import Draw

RULE = (
    "best: the lowest mean of the rows' perplexities, over the rows that every finished contestant scored in "
    "all of its draws; contestants that are still at it are not ranked"
)


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
        answers: those to common rows, in all draws; figures of answers are over them.
        length: mean tokens of an answer.
        stopped: share of answers that ended with a stop token or text.
        checked: answers that were looked at by now.
        findings: check to the number of these with such a finding, in the order of `checks.CHECKS`.
        labels: of the first draw's answers against the true ones.
        label_accuracy: the same figure over the draws.
        against_first: the rows' perplexities against the first contestant's; of several draws their mean.
        unanswered: why rows have no answer, with their number, over all draws.
        ranked: all that is asked for is there, on rows that all such contestants have: only then can a figure
            of it be the best one of its column.
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
    unanswered: dict[str, int] = field(default_factory=dict)
    ranked: bool = False
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
