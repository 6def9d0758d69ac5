"""Labels of answers against the labels they should have: accuracy, precision, recall, F1, confusion matrix.

Every function takes `true` and `predicted` by name: swapped, accuracy stays and weighted F1 changes unseen.
The figures are those of scikit-learn's `accuracy_score` and `precision_recall_fscore_support`, with 0 where
they divide by 0.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import fault
from workbench.evaluation.intervals import Interval, wilson
from workbench.prompts.survey.checks.seen import rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFINITION = (
    "accuracy: share of rows whose predicted label is the true one. Precision: of the rows that got a "
    "label, the share that has it; recall: of the rows that have it, the share that got it; F1: their "
    "harmonic mean; 0 where they divide by 0. Macro: mean over all labels that occur, true or predicted; "
    "weighted: mean weighted by how many rows truly have the label. Baseline: the answer is always the "
    "most frequent true label; an accuracy near it says nothing in favour of the model"
)
NO_LABEL = "(none)"
"""Stands for a prediction that is missing: an empty answer is a wrong one, not one row less."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label: `rows` truly have it, `given` rows got it."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int
    given: int


@dataclass(frozen=True, slots=True)
class Mean:
    """Precision, recall and F1 over labels; the weighted recall is the accuracy."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What always answering one label reaches on the same rows."""

    label: str
    accuracy: float
    weighted_f1: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class LabelScores:
    """All figures of one set of rows.

    Attributes:
        rows: how many have a true label: these are scored.
        accuracy: share of them that are right.
        interval: of the accuracy, Wilson's, 95 per cent.
        macro, weighted: means over labels.
        by_label: every label that occurs, in the order of `known`, then by name.
        confusion: (K, K) int64; row: true label, column: predicted label, both in the order of `by_label`.
        baseline: always the most frequent true label; of equally frequent ones the first of `by_label`.
        without_true: rows that have no true label and are not scored.
        without_prediction: scored rows that got no label: wrong, counted as `NO_LABEL`.
        unknown_true, unknown_predicted: labels outside of `known`, with their rows.
        stripped: labels that were matched only after blanks at their ends were taken off, with their rows.
    """

    rows: int
    accuracy: float
    interval: Interval
    macro: Mean
    weighted: Mean
    by_label: tuple[LabelScore, ...]
    confusion: "NDArray[np.int64]"
    baseline: Baseline
    without_true: int
    without_prediction: int
    unknown_true: dict[str, int]
    unknown_predicted: dict[str, int]
    stripped: dict[str, int]

    @property
    def remarks(self) -> list[str]:
        """What a reader of the figures has to know, in sentences."""
        said = []
        if self.without_true:
            said.append(f"without a true label, not scored: {rows(self.without_true)}")
        if self.without_prediction:
            said.append(f"without a predicted label, counted as wrong: {rows(self.without_prediction)}")
        for whose, unknown in (("true", self.unknown_true), ("predicted", self.unknown_predicted)):
            if unknown:
                said.append(f"{whose} labels that are not known: {_counted(unknown)}")
        if self.stripped:
            said.append(f"labels with blanks at an end, taken off: {_counted(self.stripped)}")
        if self.accuracy <= self.baseline.accuracy:
            said.append(
                f"no better than always answering {self.baseline.label!r}: {self.baseline.accuracy:.3f}"
            )
        return said


def score_labels(
    *, true: Sequence[str | None], predicted: Sequence[str | None], known: Collection[str] = ()
) -> LabelScores:
    """Score predicted labels, row by row.

    Args:
        true: the label each row should have; None or blank where it is not known.
        predicted: the label it got; None or blank where it got none.
        known: all labels there are, where that is known: others are named, and still scored.

    Raises WorkbenchError: not as many labels on both sides, or no row has a true label.
    """
    import numpy as np

    if len(true) != len(predicted):
        raise fault(f"{len(true):,} true labels and {len(predicted):,} predicted ones: one each a row")
    stripped: Counter[str] = Counter()
    order = [label.strip() for label in known]
    truths = [_clean(label, stripped) for label in true]
    guesses = [_clean(label, stripped) for label in predicted]
    pairs = [(t, g or NO_LABEL) for t, g in zip(truths, guesses, strict=True) if t]
    if not pairs:
        raise fault("no row has a true label: there is nothing to score")
    found = {label for pair in pairs for label in pair}
    labels = [label for label in dict.fromkeys(order) if label in found]
    labels += sorted(found.difference(order))
    place = {label: i for i, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    for (t, g), count in Counter(pairs).items():
        confusion[place[t], place[g]] = count
    by_label, macro, weighted = _figures(labels, confusion)
    right = int(confusion.trace())
    return LabelScores(
        rows=len(pairs),
        accuracy=right / len(pairs),
        interval=wilson(right, len(pairs)),
        macro=macro,
        weighted=weighted,
        by_label=by_label,
        confusion=confusion,
        baseline=_baseline(labels, confusion),
        without_true=len(true) - len(pairs),
        without_prediction=sum(g == NO_LABEL for _, g in pairs),
        unknown_true=_unknown((t for t, _ in pairs), order),
        unknown_predicted=_unknown((g for _, g in pairs if g != NO_LABEL), order),
        stripped=dict(stripped),
    )


def _clean(label: str | None, stripped: Counter[str]) -> str:
    """The label without blanks at its ends, which are written down."""
    clean = (label or "").strip()
    if clean and clean != label:
        stripped[f"{label!r}"] += 1
    return clean


def _unknown(labels: Iterable[str], known: Collection[str]) -> dict[str, int]:
    return dict(Counter(label for label in labels if known and label not in known))


def _figures(
    labels: Sequence[str], confusion: "NDArray[np.int64]"
) -> tuple[tuple[LabelScore, ...], Mean, Mean]:
    """Each label and the two means, of a (K, K) confusion matrix."""
    import numpy as np

    right = confusion.diagonal().astype(np.float64)
    rows, given = confusion.sum(1), confusion.sum(0)
    zeros = np.zeros(len(labels))
    precision = np.divide(right, given, out=zeros.copy(), where=given > 0)
    recall = np.divide(right, rows, out=zeros.copy(), where=rows > 0)
    # 2PR/(P+R) written with counts: rows + given is never 0 for a label that occurs
    f1 = 2 * right / (rows + given)
    by_label = tuple(
        LabelScore(label, float(precision[i]), float(recall[i]), float(f1[i]), int(rows[i]), int(given[i]))
        for i, label in enumerate(labels)
    )
    share = rows / rows.sum()
    macro = Mean(float(precision.mean()), float(recall.mean()), float(f1.mean()))
    weighted = Mean(float(share @ precision), float(share @ recall), float(share @ f1))
    return by_label, macro, weighted


def _baseline(labels: Sequence[str], confusion: "NDArray[np.int64]") -> Baseline:
    """Labels that only the predictions have are no part of it."""
    import numpy as np

    rows = confusion.sum(1)
    real = [label for label, count in zip(labels, rows, strict=True) if count]
    rows = rows[rows > 0]
    majority = int(rows.argmax())
    always = np.zeros((len(real), len(real)), np.int64)
    always[:, majority] = rows
    _, macro, weighted = _figures(real, always)
    return Baseline(real[majority], float(rows[majority] / rows.sum()), weighted.f1, macro.f1)


def _counted(labels: dict[str, int]) -> str:
    return ", ".join(f"{label} ({rows:,})" for label, rows in labels.items())
