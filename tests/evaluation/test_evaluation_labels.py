"""Scores of labels: scikit-learn's figures, a baseline beside them, and nothing dropped in silence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.intervals import wilson
from workbench.evaluation.labels import NO_LABEL, score_labels

LABELS = st.sampled_from(["neutral", "anger", "fear", "surprise", "驚訝"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=60)

TRUE = ["n", "n", "n", "n", "n", "n", "a", "a", "f", "s", "s", "h"]
PREDICTED = ["n", "n", "n", "n", "a", "d", "a", "n", "n", "s", "f", "h"]
EXPECTED = {
    "accuracy": 7 / 12,
    "macro": (0.5277777777777778, 0.4444444444444444, 0.47222222222222215),
    "weighted": (0.6666666666666666, 0.5833333333333334, 0.611111111111111),
    "by_label": [
        (0.5, 0.5, 0.5, 2),
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (1, 1, 1, 1),
        (2 / 3, 2 / 3, 2 / 3, 6),
        (1, 0.5, 2 / 3, 2),
    ],
    "confusion": [
        [1, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
        [1, 1, 0, 0, 4, 0],
        [0, 0, 1, 0, 0, 1],
    ],
}


def test_the_figures_are_those_of_scikit_learn() -> None:
    """Literal values of scikit-learn 1.9.1, zero_division=0; `d` is predicted and never true."""
    scores = score_labels(true=TRUE, predicted=PREDICTED)
    assert scores.accuracy == pytest.approx(EXPECTED["accuracy"], abs=1e-12)
    for name, mean in (("macro", scores.macro), ("weighted", scores.weighted)):
        assert (mean.precision, mean.recall, mean.f1) == pytest.approx(EXPECTED[name], abs=1e-12)
    assert [each.label for each in scores.by_label] == list("adfhns")
    for each, expected in zip(scores.by_label, EXPECTED["by_label"], strict=True):
        assert (each.precision, each.recall, each.f1, each.rows) == pytest.approx(expected, abs=1e-12)
    assert scores.confusion.tolist() == EXPECTED["confusion"]


def test_true_and_predicted_are_said_by_name() -> None:
    """The emotion project swapped them for months: accuracy stays, weighted F1 does not."""
    with pytest.raises(TypeError):
        score_labels(TRUE, PREDICTED)  # type: ignore[misc]
    right, swapped = (
        score_labels(true=TRUE, predicted=PREDICTED),
        score_labels(true=PREDICTED, predicted=TRUE),
    )
    assert right.accuracy == swapped.accuracy
    assert abs(right.weighted.f1 - swapped.weighted.f1) > 0.01
    assert (right.confusion == swapped.confusion.T).all()


@given(PAIRS)
def test_the_figures_follow_from_their_definitions(pairs: list[tuple[str, str]]) -> None:
    scores = score_labels(true=[t for t, _ in pairs], predicted=[p for _, p in pairs])
    n = len(pairs)
    assert scores.confusion.sum() == scores.rows == n
    assert scores.accuracy == pytest.approx(sum(t == p for t, p in pairs) / n, abs=1e-12)
    assert scores.weighted.recall == pytest.approx(scores.accuracy, abs=1e-12)
    f1s = {}
    for label in {label for pair in pairs for label in pair}:
        tp = sum(t == p == label for t, p in pairs)
        fp = sum(p == label != t for t, p in pairs)
        fn = sum(t == label != p for t, p in pairs)
        precision = tp / (tp + fp) if tp + fp else 0.0
        recall = tp / (tp + fn) if tp + fn else 0.0
        f1s[label] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert {each.label: each.f1 for each in scores.by_label} == pytest.approx(f1s, abs=1e-12)
    assert scores.macro.f1 == pytest.approx(sum(f1s.values()) / len(f1s), abs=1e-12)
    counts = Counter(t for t, _ in pairs)
    assert scores.weighted.f1 == pytest.approx(sum(f1s[t] * c for t, c in counts.items()) / n, abs=1e-12)
    low, high = scores.interval
    assert 0 <= low <= scores.accuracy <= high <= 1


@given(PAIRS)
def test_the_baseline_is_what_always_answering_the_majority_scores(pairs: list[tuple[str, str]]) -> None:
    true = [t for t, _ in pairs]
    baseline = score_labels(true=true, predicted=[p for _, p in pairs]).baseline
    always = score_labels(true=true, predicted=[baseline.label] * len(true))
    assert baseline.accuracy == always.accuracy == max(Counter(true).values()) / len(true)
    assert baseline.weighted_f1 == pytest.approx(always.weighted.f1, abs=1e-12)
    assert baseline.macro_f1 == pytest.approx(always.macro.f1, abs=1e-12)


def test_the_majority_of_dailydialog() -> None:
    """The emotions of the last turns of its 996 test dialogs: what a model has to beat."""
    counts = {"neutral": 712, "happiness": 240, "sadness": 18, "anger": 10, "surprise": 9, "disgust": 6}
    true = [label for label, count in counts.items() for _ in range(count)] + ["fear"]
    always = ["neutral"] * len(true)
    scores = score_labels(true=true, predicted=always)
    assert scores.baseline.label == "neutral"
    assert (round(scores.accuracy, 3), round(scores.weighted.f1, 3)) == (0.715, 0.596)
    assert round(score_labels(true=always, predicted=true).weighted.f1, 3) == 0.834, "the arguments swapped"


def test_no_better_than_the_baseline_is_said() -> None:
    scores = score_labels(true=["n"] * 7 + ["a"] * 3, predicted=["n"] * 10)
    assert scores.accuracy == scores.baseline.accuracy == 0.7
    assert scores.remarks == ["no better than always answering 'n': 0.700"]


def test_what_is_missing_or_unknown_is_counted_and_named() -> None:
    scores = score_labels(
        true=["surprise ", "fear", None, "  ", "joy", "fear"],
        predicted=["surprise", None, "fear", "fear", "happiness", "rage"],
        known=["fear", "surprise", "happiness"],
    )
    assert (scores.rows, scores.without_true, scores.without_prediction) == (4, 2, 1)
    assert scores.accuracy == 0.25
    assert scores.stripped == {"'surprise '": 1}
    assert (scores.unknown_true, scores.unknown_predicted) == ({"joy": 1}, {"rage": 1})
    assert [each.label for each in scores.by_label] == [
        "fear",
        "surprise",
        "happiness",
        NO_LABEL,
        "joy",
        "rage",
    ]
    assert len(scores.remarks) == 6


def test_what_cannot_be_scored_is_a_fault() -> None:
    with pytest.raises(WorkbenchError, match="2 true labels and 1 predicted"):
        score_labels(true=["a", "b"], predicted=["a"])
    for none in ([], [None, " "]):
        with pytest.raises(WorkbenchError, match="no row has a true label"):
            score_labels(true=none, predicted=["a"] * len(none))


def test_wilson_interval() -> None:
    """Literal values of scipy's binomtest(...).proportion_ci(method="wilson")."""
    assert wilson(7, 10) == pytest.approx((0.3967781, 0.8922087), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-6)
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_the_interval_holds_the_share(successes: int, more: int) -> None:
    rows = successes + more
    low, high = wilson(successes, rows)
    assert 0 <= low <= successes / rows <= high <= 1 and high > low
