"""Dips that come again: found at their period, and never in noise of any kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdict_curves import falling, named, names, noise, series, verdict

from workbench.runs.series import Series
from workbench.runs.verdict.evidence import Facts
from workbench.runs.verdict.judge import judge


def dipping(points: int, period: int, wide: int = 4, depth: float = 0.9, seed: int = 0) -> np.ndarray:
    """Batches ordered by length: the last of each period are easy."""
    easy = np.arange(points) % period >= period - wide
    return 1.6 - depth * easy + noise(points, 0.12, seed)


def test_dips_of_batches_ordered_by_length() -> None:
    judged = verdict(dipping(750, 50))
    found = named(judged, "periodic")
    assert "every 50 steps" in found.what and "for 4 of them" in found.what
    assert "group_by_length" in found.what and "between the dips 1.599" in found.what
    assert names(judged)[-1] == "no-validation"


@pytest.mark.parametrize(
    ("points", "period", "wide"), [(60, 10, 2), (300, 7, 1), (5000, 400, 30), (90_000, 50, 4)]
)
def test_other_periods(points: int, period: int, wide: int) -> None:
    assert f"every {period} steps" in named(verdict(dipping(points, period, wide)), "periodic").what


def test_dips_on_a_loss_that_falls() -> None:
    assert "periodic" in names(verdict(dipping(1000, 50, depth=0.5) + 2 * np.exp(-np.linspace(0, 8, 1000))))


def test_logged_every_tenth_step() -> None:
    found = named(verdict(dipping(200, 5, 1, 0.4), every=10), "periodic")
    assert "every 50 steps" in found.what


def test_gaps_and_a_first_step_out_of_turn() -> None:
    """transformers logs step 1, then every tenth; some lines are lost."""
    loss = dipping(400, 5, 1, 0.5)
    events = [{"kind": "step", "step": (at + 1) * 10, "loss": value} for at, value in enumerate(loss)]
    kept = [event for at, event in enumerate(events) if at % 23]
    made = Series()
    made.feed([{"kind": "step", "step": 1, "loss": 1.6}, *kept])
    assert "every 50 steps" in named(judge(made, Facts()), "periodic").what


def test_once_an_epoch_is_told_as_such() -> None:
    found = named(verdict(dipping(800, 80, 2), facts=Facts(epochs_per_step=1 / 80)), "periodic")
    assert "once an epoch" in found.what


def test_steps_at_random_distances_have_no_period() -> None:
    made = series(dipping(300, 10, 2))
    steps = np.cumsum(np.random.default_rng(0).integers(1, 400, 300))
    uneven = Series()
    values = made.curve("loss")[1]
    uneven.feed({"kind": "step", "step": int(s), "loss": v} for s, v in zip(steps, values, strict=True))
    assert "periodic" not in names(judge(uneven, Facts()))


def test_fewer_than_five_cycles_are_no_pattern() -> None:
    assert "periodic" not in names(verdict(dipping(199, 50)))


KINDS = ["normal", "cauchy", "lognormal", "uniform", "integers", "sparse", "drift", "walk"]


def scatter(kind: str, points: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    match kind:
        case "cauchy":
            return generator.standard_cauchy(points)
        case "lognormal":
            return generator.lognormal(0, 1, points)
        case "uniform":
            return generator.uniform(-1, 1, points)
        case "integers":
            return generator.integers(0, 3, points).astype(float)
        case "sparse":
            return -5.0 * (generator.random(points) < 0.05) + generator.normal(0, 0.01, points)
        case "drift":
            return np.convolve(generator.normal(0, 1, points + 50), 0.9 ** np.arange(50), "valid")[:points]
        case "walk":
            return np.cumsum(generator.normal(0, 0.1, points))
    return generator.normal(0, 1, points)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    points=st.integers(40, 900),
    seed=st.integers(0, 2**32 - 1),
    falls=st.booleans(),
)
def test_noise_is_never_periodic(kind: str, points: int, seed: int, falls: bool) -> None:
    loss = 5 + 0.1 * scatter(kind, points, seed) + (falling(points, 0.0) if falls else 0.0)
    assert "periodic" not in names(verdict(loss))


@settings(max_examples=40, deadline=None)
@given(constant=st.floats(0, 50), scale=st.floats(0.1, 10), seed=st.integers(0, 1000))
def test_neither_shift_nor_scale_moves_the_period(constant: float, scale: float, seed: int) -> None:
    loss = dipping(600, 30, 3, seed=seed)
    assert "every 30 steps" in named(verdict(constant + scale * loss), "periodic").what
