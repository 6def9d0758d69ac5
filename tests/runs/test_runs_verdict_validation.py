"""Overfitting, convergence, what is still falling: by the validation loss, and no more than it shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdict_curves import falling, named, names, noise, verdict

from workbench.runs.verdict.evidence import Facts


def turning(points: int, at: float = 0.35, seed: int = 0, deviation: float = 0.0) -> np.ndarray:
    """Falls to its minimum at a share of the run, then rises by half a nat."""
    share = np.linspace(1 / points, 1, points)
    fall = 0.6 * np.exp(-6 * share) - 0.6 * np.exp(-6 * at)
    return 1.0 + np.maximum(fall, 0) + 0.5 * np.maximum(0, share - at) + noise(points, deviation, seed)


@pytest.mark.parametrize("points", [4, 6, 10, 20, 60, 400])
def test_overfitting_since_the_minimum(points: int) -> None:
    found = named(verdict(falling(2000), turning(points)), "overfitting")
    assert found.step is not None and 0.2 < found.step / 2000 < 0.55
    assert f"minimum of {points}" in found.rule


def test_overfitting_from_the_first_validation_on() -> None:
    """A run of 10,000 steps that was validated too late: log perplexities of 3.44, 3.64, 5.03, 17.6."""
    found = named(verdict([2, 1.5, 1, 0.5], [1.235, 1.292, 1.615, 2.868]), "overfitting")
    assert found.step == 1 and "1.235 there, 2.868 at the end" in found.what


def test_overfitting_in_noise_is_seen_and_noise_is_none() -> None:
    assert "overfitting" in names(verdict(falling(), turning(40, deviation=0.03)))
    wrong = sum(
        "overfitting" in names(verdict(falling(200), 1.3 + noise(points, 0.02, seed)))
        for points in (10, 30, 200)
        for seed in range(30)
    )
    assert wrong <= 1


def test_the_best_checkpoint_is_named() -> None:
    def line(*checkpoints: int) -> str:
        return verdict(falling(), turning(20), facts=Facts(checkpoints=checkpoints)).line

    assert "best checkpoint: step 350" in line(100, 350, 1000)
    assert "lowest value at step 350, nearest checkpoint: step 400" in line(100, 400, 1000)
    assert "lowest value at step 350, no checkpoint" in line()


def test_both_losses_rising_is_not_called_overfitting() -> None:
    loss = np.concatenate([np.linspace(2, 1, 350), np.linspace(1, 1.6, 650)]) + noise(1000, 0.02)
    judged = names(verdict(loss, turning(20)))
    assert "validation-rising" in judged and "overfitting" not in judged


@settings(max_examples=60, deadline=None)
@given(
    constant=st.floats(-0.5, 100),
    points=st.sampled_from([4, 6, 9, 20, 57]),
    at=st.floats(0.1, 0.6),
    seed=st.integers(0, 1000),
)
def test_a_constant_moves_no_overfitting_step(constant: float, points: int, at: float, seed: int) -> None:
    validation = turning(points, at, seed, 0.005)
    loss = falling(200, seed=seed)

    def step(shift: float) -> int | None:
        judged = verdict(loss + shift, validation + shift)
        return next((found.step for found in judged.findings if found.name == "overfitting"), None)

    assert step(0.0) == step(constant)


def test_converged_at_the_plateau() -> None:
    validation = 1.0 + 0.8 * np.exp(-10 * np.linspace(0.03, 1, 30)) + noise(30, 0.004)
    found = named(verdict(falling(), validation), "converged")
    assert found.step is not None and 250 < found.step < 600
    assert found.epoch is None and "plateau" in found.rule


def test_a_plateau_where_the_learning_rate_ran_out_says_so() -> None:
    validation = np.concatenate([np.linspace(2, 1, 20), np.full(10, 1.0)]) + noise(30, 0.001)
    ran_out = np.maximum(1e-6, 1e-3 * (1 - np.linspace(0, 1.6, 1000)))
    assert "learning rate had run out" in verdict(falling(), validation, learning_rate=ran_out).line
    constant = np.full(1000, 1e-3)
    assert "run out" not in verdict(falling(), validation, learning_rate=constant).line


def test_training_that_falls_on_alone_is_told() -> None:
    validation = 1.0 + 0.8 * np.exp(-20 * np.linspace(0.02, 1, 50)) + noise(50, 0.004)
    judged = verdict(np.linspace(1.5, 0.2, 1000) + noise(1000, 0.02), validation)
    assert names(judged) == ["converged"]
    assert "training loss alone fell on" in judged.line


@pytest.mark.parametrize("points", [3, 5, 10, 20, 60])
def test_a_straight_fall_is_not_converged(points: int) -> None:
    assert names(verdict(falling(), np.linspace(2, 1.4, points))) == ["improving"]


def test_ten_validations_that_fall_with_noise_are_not_converged() -> None:
    """Ten checkpoints of a real run: 4.3857 .. 3.8961 perplexity."""
    perplexity = [4.3857, 4.1677, 4.1285, 4.0843, 4.0755, 4.0106, 3.9645, 3.9821, 3.9325, 3.8961]
    assert names(verdict(falling(), np.log(perplexity))) == ["improving"]


def test_noise_around_a_level_has_not_fallen() -> None:
    assert names(verdict(falling(), 1.3 + noise(40, 0.02))) == ["validation-flat"]


def test_a_long_validation_curve_that_settled_early_in_much_noise() -> None:
    """As of a fine-tune whose validation rows change each time: its lowest value is chance."""
    share = np.linspace(0, 1, 362)
    scatter = np.random.default_rng(1).lognormal(0, 0.6, 362)
    validation = (0.015 + 0.03 * np.exp(-40 * share)) * scatter
    judged = verdict(falling(2889) / 100, validation)
    assert names(judged) == ["converged"]
    assert "lowest value at step" in judged.line
