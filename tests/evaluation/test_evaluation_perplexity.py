"""Two means of perplexity, each by its name, and rows of which nothing is scored."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation.perplexity import NOTHING_SCORED, RowLoss, perplexity

LOSSES = st.lists(st.tuples(st.floats(0, 500), st.integers(0, 50)), max_size=40)


def test_the_two_means_differ_and_are_told_apart() -> None:
    """One row of 1 token at perplexity 8, one of 3 tokens at 2."""
    found = perplexity([RowLoss(0, math.log(8), 1), RowLoss(1, 3 * math.log(2), 3)])
    assert [each.perplexity for each in found.rows] == pytest.approx([8, 2])
    assert found.course == pytest.approx(5)
    assert found.token_weighted == pytest.approx(math.exp((math.log(8) + 3 * math.log(2)) / 4))
    assert found.tokens == 4


def test_a_row_cut_off_whole_is_counted_and_not_nan() -> None:
    cut = "the answer is cut off whole"
    found = perplexity(
        [RowLoss(0, 0.0, 0, cut), RowLoss(1, 1.0, 1), RowLoss(2, 0.0, 0, cut), RowLoss(3, 0, 0)]
    )
    assert found.course == pytest.approx(math.e) == found.token_weighted
    assert found.unscored == {cut: 2, NOTHING_SCORED: 1}
    assert [each.row for each in found.rows] == [1]


def test_nothing_to_score_has_no_figure() -> None:
    for losses in ([], [RowLoss(0, 0.0, 0)]):
        found = perplexity(losses)
        assert (found.course, found.token_weighted, found.rows) == (None, None, ())


def test_a_broken_model_is_seen() -> None:
    rows = [RowLoss(0, 1.0, 1), RowLoss(1, math.nan, 2), RowLoss(2, 5000.0, 1), RowLoss(3, 2.0, 1)]
    found = perplexity(rows)
    assert found.course is not None and math.isnan(found.course)
    assert [each.row for each in found.rows if not math.isfinite(each.perplexity)] == [1, 2]
    assert perplexity([rows[2], RowLoss(4, math.inf, 1)]).course == math.inf


@given(LOSSES)
def test_every_row_is_scored_or_counted_apart(losses: list[tuple[float, int]]) -> None:
    found = perplexity(RowLoss(i, nll if tokens else 0.0, tokens) for i, (nll, tokens) in enumerate(losses))
    assert len(found.rows) + sum(found.unscored.values()) == len(losses)
    assert [each.row for each in found.rows] == [i for i, (_, tokens) in enumerate(losses) if tokens]
    if found.rows:
        assert found.course is not None and found.token_weighted is not None
        each = [row.perplexity for row in found.rows]
        lowest, highest = min(each), max(each)
        for mean in (found.course, found.token_weighted):
            assert lowest * (1 - 1e-9) <= mean <= highest * (1 + 1e-9)
