"""What is in view of a run's curves: axis, smoothing, window, marks."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.runs.series import Series
from workbench.ui.curve_view import AXES, CurveView, mean

LOSS = (("training", "loss", "primary"), ("validation", "validation_loss", "warning"))
KEYS = st.lists(st.sampled_from(["in", "out", "left", "right", "whole", "axis"]), max_size=30)


def run(steps: int = 100, epoch_steps: int = 10) -> Series:
    series = Series()
    series.feed(
        {
            "kind": "step",
            "step": step,
            "epoch": step / epoch_steps,
            "loss": 5 / step,
            "elapsed_tokens": 200 * step,
            "seconds": 30.0 * step,
        }
        for step in range(1, steps + 1)
    )
    series.feed({"kind": "evaluated", "step": step, "validation_loss": 1.0} for step in (25, 75))
    return series


@pytest.mark.parametrize(
    ("axis", "last"), [("step", 100), ("epoch", 10), ("tokens", 20_000), ("minutes", 50)]
)
def test_training_and_validation_lie_on_one_axis(axis: str, last: float) -> None:
    training, validation = CurveView(axis=axis).curves(run(), LOSS)
    assert training.x[-1] == pytest.approx(last)
    assert list(validation.x) == pytest.approx([last / 4, last * 3 / 4])


def test_what_has_no_place_on_an_axis_is_left_out() -> None:
    series = Series()
    series.feed(
        [{"kind": "step", "step": 1, "loss": 1.0}, {"kind": "step", "step": 2, "loss": 1.0, "epoch": 2}]
    )
    assert [len(CurveView(axis=axis).curves(series, LOSS)[0].x) for axis in AXES] == [2, 1, 0, 0]


def test_a_smoothed_curve_has_its_points_behind_it() -> None:
    view = CurveView().next_smoothing()
    raw, smooth, validation = view.curves(run(), LOSS)
    assert raw.faint and not smooth.faint
    assert smooth.label == "training ~5" and smooth.y[-1] == pytest.approx(np.mean(raw.y[-5:]))
    assert validation.label == "validation", "two points are no curve to smooth"
    for _ in range(4):
        view = view.next_smoothing()
    assert view.smoothing == 1


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=60), st.integers(2, 20))
def test_the_mean_is_that_of_the_last_numbers(values: list[float], points: int) -> None:
    smooth = mean(np.array(values), points)
    for index, value in enumerate(smooth):
        window = [each for each in values[max(0, index - points + 1) : index + 1] if not math.isnan(each)]
        assert value == pytest.approx(sum(window) / len(window), abs=1e-3) if window else math.isnan(value)


@settings(deadline=None, max_examples=50)
@given(KEYS)
def test_whatever_is_pressed_a_part_of_the_run_is_in_view(keys: list[str]) -> None:
    view, series = CurveView(), run()
    for key in keys:
        view = {
            "in": view.zoomed(nearer=True),
            "out": view.zoomed(nearer=False),
            "left": view.panned(towards_end=False),
            "right": view.panned(towards_end=True),
            "whole": view.whole(),
            "axis": view.next_axis(),
        }[key]
        drawn = view.curves(series, LOSS)
        low, high = view.window(drawn) or (drawn[0].x[0], drawn[0].x[-1])
        assert drawn[0].x[0] - 1e-9 <= low < high <= drawn[0].x[-1] * (1 + 1e-9)


def test_zoom_at_the_end_goes_along_with_a_growing_run() -> None:
    view = CurveView().zoomed(nearer=True)
    assert view.window(view.curves(run(100), LOSS)) == pytest.approx((50.5, 100))
    assert view.window(view.curves(run(200), LOSS)) == pytest.approx((100.5, 200))
    still = view.panned(towards_end=False).zoomed(nearer=True)
    assert still.right < 1
    assert view.whole() == CurveView()


def test_epochs_are_marked_and_thinned_when_they_are_many() -> None:
    def epochs(view: CurveView, series: Series) -> list[tuple[float, str]]:
        window = view.window(view.curves(series, LOSS))
        return [(mark.x, mark.label) for mark in view.marks(series, window) if "epoch" in mark.label]

    assert epochs(CurveView(), run(35)) == [(10, "epoch"), (20, "epoch"), (30, "epoch")]
    assert epochs(CurveView(axis="epoch"), run(35)) == [(1, "epoch"), (2, "epoch"), (3, "epoch")]
    many = epochs(CurveView(), run(300))
    assert many[0] == (60, "6 epochs") and len(many) == 5
    near = epochs(CurveView(width=0.1), run(300))
    assert near == [(280, "epoch"), (290, "epoch"), (300, "epoch")]
    assert epochs(CurveView(), run(9)) == []


def test_best_and_seams_are_marked_on_every_axis() -> None:
    series = run(100)
    series.feed([{"kind": "started", "resumed_from": 80}])
    assert {(mark.label, mark.x) for mark in CurveView(axis="minutes").marks(series, None)} >= {
        ("best", 12.5),
        ("resumed", 40.0),
    }
