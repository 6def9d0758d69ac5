"""Curves: strictly rising steps, a resume replaces what it repeats, views instead of copies."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runs.series import Series


def step(number: int, **fields: float | None) -> dict[str, object]:
    return {"kind": "step", "step": number, "epoch": number / 10, "loss": 1 / number, **fields}


def evaluated(number: int, loss: float) -> dict[str, object]:
    return {"kind": "evaluated", "step": number, "validation_loss": loss, "token_accuracy": 0.5}


def started(resumed_from: int | None) -> dict[str, object]:
    return {"kind": "started", "resumed_from": resumed_from}


def test_an_empty_series_has_empty_curves() -> None:
    series = Series()
    x, y = series.curve("loss")
    assert len(x) == len(y) == 0
    assert (series.best, series.seams) == (None, [])
    with pytest.raises(KeyError):
        series.curve("no such metric")


def test_training_and_validation_are_curves_of_their_own() -> None:
    series = Series()
    series.feed([started(None), step(1, token_accuracy=0.1), step(2, token_accuracy=0.2), evaluated(2, 3.0)])
    assert [curve.tolist() for curve in series.curve("token_accuracy")] == [[1, 2], [0.1, 0.2]]
    assert [curve.tolist() for curve in series.curve("validation_token_accuracy")] == [[2], [0.5]]


def test_what_is_no_number_is_nan() -> None:
    series = Series()
    series.feed([step(1, loss=math.nan), step(2, loss=None), step(3, loss="what"), step(4, loss=1e308)])  # type: ignore[arg-type]
    values = series.curve("loss")[1]
    assert np.isnan(values[:3]).all() and values[3] == 1e308
    assert np.isnan(series.curve("grad_norm")[1]).all()


def test_a_resume_replaces_what_it_repeats() -> None:
    series = Series()
    checkpoint = {"kind": "checkpoint", "step": 2}
    late = {"kind": "checkpoint", "step": 5}
    series.feed(
        [
            started(None),
            step(1),
            step(2),
            checkpoint,
            evaluated(2, 1.0),
            step(3),
            step(5),
            evaluated(5, 0.5),
            late,
        ]
    )
    assert (series.best, series.checkpoints) == (5, [2, 5])
    series.feed([started(2), step(3, loss=9.0)])
    assert [curve.tolist() for curve in series.curve("loss")] == [[1, 2, 3], [1, 0.5, 9.0]]
    assert (series.seams, series.best, series.checkpoints) == ([2], 2, [2])
    series.feed([started(None)])
    assert (len(series.curve("loss")[0]), series.seams, series.best) == (0, [], None)


def test_the_best_is_the_first_lowest_number() -> None:
    series = Series()
    series.feed([evaluated(1, math.nan)])
    assert series.best is None
    series.feed([evaluated(2, 1.0), evaluated(3, 0.5), evaluated(4, 0.5), evaluated(5, math.nan)])
    assert series.best == 3


@pytest.mark.parametrize("points", [500, 1000])
def test_curves_are_views_that_stay_as_they_were(points: int) -> None:
    """With space left in the table, and without: neither a resume nor growth reaches into them."""
    series = Series()
    series.feed([step(number) for number in range(1, points + 1)])
    x, y = series.curve("loss")
    assert np.shares_memory(y, series.curve("loss")[1])
    assert not y.flags.owndata and not y.flags.writeable
    before = y.copy()
    series.feed([started(10), step(11, loss=-1.0)])
    series.feed([step(number, loss=-2.0) for number in range(12, 5000)])
    assert (y == before).all() and len(x) == points


ATTEMPTS = st.lists(
    st.tuples(st.integers(0, 30), st.lists(st.integers(1, 40), max_size=20)), min_size=1, max_size=5
)


@settings(max_examples=60, deadline=None)
@given(attempts=ATTEMPTS, cuts=st.integers(1, 7))
def test_curves_equal_a_plain_dictionary(attempts: list[tuple[int, list[int]]], cuts: int) -> None:
    """Whatever the order of steps and wherever the slices are cut."""
    log: list[dict[str, object]] = []
    expected: dict[int, float] = {}
    value = 0.0
    for resumed_from, numbers in attempts:
        log.append(started(resumed_from))
        expected = {number: old for number, old in expected.items() if number <= resumed_from}
        for number in numbers:
            value += 1
            log.append({"kind": "step", "step": number, "loss": value})
            expected = {key: old for key, old in expected.items() if key < number} | {number: value}
    series = Series()
    for start in range(0, len(log), cuts):
        series.feed(log[start : start + cuts])
    x, y = series.curve("loss")
    assert dict(zip(x.tolist(), y.tolist(), strict=True)) == expected
    assert (np.diff(x) > 0).all()
