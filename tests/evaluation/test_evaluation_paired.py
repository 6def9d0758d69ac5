"""Two contestants on the same rows: counts, a sign test, and an interval that covers what it should."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluation import paired as module
from workbench.evaluation.paired import Spread, paired, sign_test, spread

FIGURES = st.dictionaries(st.integers(0, 30), st.floats(-100, 100), max_size=25)


def test_rows_are_counted_by_who_is_better() -> None:
    first = dict.fromkeys(range(12), 1.0) | {12: 3.0, 13: 2.0, 14: math.nan, 15: 1.0}
    second = dict.fromkeys(range(14), 2.0) | {14: 1.0, 16: 1.0}
    found = paired(first, second, lower_is_better=True)
    assert (found.rows, found.wins, found.losses, found.ties) == (14, 12, 1, 1)
    assert (found.unpaired, found.not_finite) == (2, 1)
    assert found.difference == pytest.approx(-11 / 14)
    assert found.interval is not None and found.interval[0] < -11 / 14 < found.interval[1] < 0
    assert found.better is True
    assert paired(second, first, lower_is_better=True).better is False
    assert paired(first, second, lower_is_better=False).better is False
    assert [each.rpartition(" ")[0] for each in found.remarks] == [
        "measured for one of both only, left out: 2",
        "without a finite figure, left out: 1",
    ]


def test_what_cannot_be_told_is_not_told() -> None:
    even = paired({i: float(i % 2) for i in range(40)}, dict.fromkeys(range(40), 0.5), lower_is_better=True)
    assert (even.wins, even.losses, even.better) == (20, 20, None)
    one_row = paired({0: 1.0}, {0: 2.0}, lower_is_better=True)
    assert one_row.better is None and "only 1 row" in one_row.remarks[0]
    nothing = paired({0: 1.0}, {1: 1.0}, lower_is_better=True)
    assert (nothing.rows, nothing.difference, nothing.interval, nothing.better) == (0, None, None, None)
    # Nine rows a little better, one far worse: the mean and the count do not agree
    torn = paired(
        dict.fromkeys(range(9), 1.0) | {9: 90.0}, dict.fromkeys(range(10), 2.0), lower_is_better=True
    )
    assert torn.better is None


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1), (5, 0, 0.0625), (6, 0, 0.03125), (8, 2, 0.109375), (5, 5, 1), (1, 0, 1), (15, 5, 0.04138947)],
)
def test_sign_test(wins: int, losses: int, p: float) -> None:
    """Literal values of scipy.stats.binomtest(wins, wins + losses)."""
    assert sign_test(wins, losses) == pytest.approx(p, abs=1e-7)
    assert sign_test(losses, wins) == sign_test(wins, losses)


def test_sign_test_of_many_rows() -> None:
    assert sign_test(50_000, 50_000) == pytest.approx(1, abs=1e-6)
    assert sign_test(51_000, 49_000) == pytest.approx(2.5e-10, rel=0.1)


@settings(max_examples=30, deadline=None)
@given(FIGURES, FIGURES)
def test_turned_round_everything_is_turned_round(first: dict[int, float], second: dict[int, float]) -> None:
    there = paired(first, second, lower_is_better=True)
    back = paired(second, first, lower_is_better=True)
    assert (there.rows, there.wins, there.losses) == (back.rows, back.losses, back.wins)
    assert there.sign_p == back.sign_p and there.unpaired == back.unpaired
    assert there.wins + there.losses + there.ties == there.rows
    if there.interval:
        assert there.difference is not None and back.difference is not None
        assert there.difference == pytest.approx(-back.difference)
        assert there.interval[0] - 1e-9 <= there.difference <= there.interval[1] + 1e-9
    assert paired(first, second, lower_is_better=True) == there, "the seed is fixed"


def test_the_interval_covers_the_true_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 300 samples of 60 rows about 95 per cent hold the mean they were drawn with."""
    monkeypatch.setattr(module, "DRAWS", 400)
    random_ = random.Random(5)
    covered = 0
    for seed in range(300):
        first = {i: random_.gauss(1.3, 1) for i in range(60)}
        found = paired(first, dict.fromkeys(range(60), 1.0), lower_is_better=True, seed=seed)
        assert found.interval is not None
        covered += found.interval[0] <= 0.3 <= found.interval[1]
    assert 0.90 <= covered / 300 <= 0.98


def test_rows_are_drawn_in_pieces_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = {i: float(i % 7) for i in range(500)}, {i: float(i % 5) for i in range(500)}
    whole = paired(first, second, lower_is_better=True)
    monkeypatch.setattr(module, "_AT_ONCE", 5000)
    pieces = paired(first, second, lower_is_better=True)
    assert pieces.interval == whole.interval


def test_mean_and_spread_over_repeats() -> None:
    assert spread([4.0]) == Spread(4.0, None, 1) and str(spread([4.0])) == "4"
    found = spread([2.0, 4.0, 6.0])
    assert (found.mean, found.sd, str(found)) == (4.0, 2.0, "4 ± 2")
