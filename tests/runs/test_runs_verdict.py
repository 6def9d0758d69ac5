"""The verdict: curves that are broken, too short, diverge or do not fall, are not divided, and any curve."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdict_curves import falling, named, names, noise, series, verdict

from workbench.runs.series import Series
from workbench.runs.verdict.evidence import Facts
from workbench.runs.verdict.judge import judge

# A run of 60 steps: it begins at .62, rises to .80 and ends at .72, as data of other sources came
SIXTY = np.concatenate([np.full(13, 0.622), np.full(35, 0.798), np.full(12, 0.718)]) + noise(60, 0.07, 3)


def test_nothing_and_next_to_nothing_are_too_short() -> None:
    assert names(judge(Series(), Facts())) == ["too-short"]
    judged = verdict([3, 2, 1, 0.9, 0.8], [1.2, 1.1])
    assert names(judged) == ["too-short"]
    assert "5 training losses and 2 validations" in judged.line


def test_few_steps_with_validations_are_judged() -> None:
    """A table with one line an epoch."""
    assert names(verdict([1.9, 1.4, 1.0, 0.7], [1.2, 1.0, 1.1, 1.3]))[0] == "overfitting"


def test_nan_to_the_end_and_nan_within() -> None:
    loss = falling()
    loss[500:] = np.nan
    assert "not a finite number from step 501 on" in verdict(loss).line
    loss = falling()
    loss[[96, 400]] = np.nan, np.inf
    assert "2 recorded losses are not a finite number, the first at step 97" in verdict(loss).line
    assert names(verdict(falling(), [1.2, np.nan, 1.1, 1.0]))[0] == "not-finite"


def test_overflow_is_as_good_as_infinite() -> None:
    loss = falling()
    loss[-1] = 1e300
    assert names(verdict(loss))[0] == "not-finite"


def test_diverging() -> None:
    loss = np.concatenate([np.linspace(3, 1.5, 500), np.linspace(1.5, 6, 300)]) + noise(800, 0.05)
    found = named(verdict(loss), "diverging")
    assert found.step is not None and 450 < found.step < 540
    assert names(verdict(loss))[0] == "diverging"


def test_blow_up_within_a_few_steps() -> None:
    assert names(verdict([2, 1.8, 1.6, 1.5, 1.4, 1.35, 30, 80, 120, 300]))[0] == "diverging"


def test_a_spike_does_not_diverge() -> None:
    loss = falling()
    loss[[300, 700, 998]] = 40.0
    assert "diverging" not in names(verdict(loss))


def test_not_falling_compares_the_halves() -> None:
    judged = verdict(SIXTY)
    first, second = SIXTY[:30].mean(), SIXTY[30:].mean()
    assert names(judged) == ["not-falling", "no-validation"]
    assert f"first half {first:.3f}, second half {second:.3f}" in judged.line


def test_what_fell_at_once_and_is_flat_is_not_called_not_falling() -> None:
    loss = np.concatenate([np.linspace(3, 1, 30), np.full(970, 1.0)]) + noise(1000, 0.1)
    assert names(verdict(loss)) == ["no-validation"]
    assert "flat since step" in verdict(loss).line


def test_noise_that_hides_any_trend_is_not_called_not_falling() -> None:
    assert "not-falling" not in names(verdict(2 + noise(40, 1.0)))


def test_no_validation() -> None:
    judged = verdict(falling())
    assert judged.line.startswith("no validation set: convergence cannot be judged")
    assert "2 validations only" in verdict(falling(), [1.2, 1.1]).line


def test_epochs_are_told_where_they_are_known() -> None:
    validation = 1.2 + 0.8 * np.linspace(0, 1, 20) ** 2
    found = named(verdict(falling(), validation, facts=Facts(epochs_per_step=0.004)), "overfitting")
    assert found.step == 50 and found.epoch == pytest.approx(0.2)
    assert "step 50 = epoch 0.2" in found.what


def test_a_run_that_goes_on_is_judged_so_far() -> None:
    assert verdict(falling(), facts=Facts(running=True)).line.startswith("so far: ")
    assert verdict(falling(), facts=Facts(running=True)).short.startswith("so far: ")


def test_learning_rate_by_a_gradient_norm_that_grows_while_the_loss_rises() -> None:
    loss = np.concatenate([np.linspace(2, 1.5, 500), np.linspace(1.5, 1.65, 500)]) + noise(1000, 0.03)
    norms = np.concatenate([np.full(500, 0.5), np.linspace(0.5, 9, 500)])
    rates = np.full(1000, 2e-3)
    found = named(verdict(loss, grad_norm=norms, learning_rate=rates), "rate-too-high")
    assert "0.002 at its peak" in found.what
    sound = verdict(falling(), grad_norm=norms, learning_rate=rates)
    assert "rate-too-high" not in names(sound), "the norm may grow while the loss falls"


def test_learning_rate_by_spikes_that_throw_the_loss_up() -> None:
    loss, norms = falling(), 0.5 + np.abs(noise(1000, 0.05))
    norms[[300, 500, 700]] = 20.0
    assert "rate-too-high" not in names(verdict(loss, grad_norm=norms)), "a spike alone is a rare batch"
    for at in (300, 500, 700):
        loss[at : at + 3] += 2
    found = named(verdict(loss, grad_norm=norms), "rate-too-high")
    assert "3 spikes" in found.what and found.step == 301


def test_loss_above_ln_vocabulary() -> None:
    judged = verdict(8 * falling(), facts=Facts(accumulation=8, vocabulary=512))
    assert names(judged)[0] == "not-divided"
    assert "ln(vocabulary) = 6.24" in judged.line and "/ 8 = 2.98" in judged.line
    assert "not-divided" not in names(verdict(falling() + 8)), "an unknown vocabulary may be large"


def test_loss_above_ln_vocabulary_that_validation_shares_is_no_sum() -> None:
    loss = 8 * falling(deviation=0.01)
    judged = verdict(loss, loss[49::50], facts=Facts(accumulation=8, vocabulary=512))
    assert "not-divided" not in names(judged)
    assert "another language or format" in named(judged, "worse-than-chance").what


@pytest.mark.parametrize("accumulation", [None, 8])
def test_loss_that_is_a_multiple_of_the_validation_loss(accumulation: int | None) -> None:
    validation = 1 + 2 * np.exp(-8 * np.linspace(0.05, 1, 20))
    judged = verdict(8 * falling(deviation=0.01), validation, facts=Facts(accumulation=accumulation))
    assert names(judged)[0] == "not-divided" and "times the validation loss" in judged.line
    other = verdict(8 * falling(deviation=0.01), validation, facts=Facts(accumulation=3))
    assert "times the validation loss" not in other.line


def test_loss_that_jumps_by_the_accumulation_at_a_resume() -> None:
    loss = 1.2 + noise(400, 0.02)
    loss[200:] *= 4
    found = named(verdict(loss, resumed_after=200, facts=Facts(accumulation=4)), "not-divided")
    assert found.step == 200 and "resumed" in found.what
    assert "not-divided" not in names(verdict(loss, facts=Facts(accumulation=4))), "no resume, no such cause"


STRANGE = st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e308, 1e-308, np.nan, np.inf, -np.inf])
VALUES = st.one_of(st.floats(0, 20), STRANGE)


@settings(max_examples=150, deadline=None)
@given(
    losses=st.lists(VALUES, max_size=70),
    validations=st.lists(VALUES, max_size=12),
    gaps=st.lists(st.integers(1, 1000), min_size=70, max_size=70),
    accumulation=st.sampled_from([None, 1, 8]),
)
def test_any_curve_has_a_verdict(
    losses: list[float], validations: list[float], gaps: list[int], accumulation: int | None
) -> None:
    """Few points, NaN, unequal spacing: one line, and no warning of numpy."""
    steps = np.cumsum(gaps)
    logged = [
        {"kind": "step", "step": int(step), "loss": loss, "grad_norm": abs(loss)}
        for step, loss in zip(steps, losses, strict=False)
    ]
    measured = [
        {"kind": "evaluated", "step": 10 * at, "validation_loss": loss} for at, loss in enumerate(validations)
    ]
    made = Series()
    made.feed([*logged, *measured])
    judged = judge(made, Facts(accumulation=accumulation, checkpoints=(10, 20)))
    assert judged.findings and judged.line and "\n" not in judged.line
    assert len({finding.name for finding in judged.findings}) == len(judged.findings)


def test_a_million_steps_in_half_a_second() -> None:
    million = 1_000_000
    loss = falling(million)
    made = Series()
    columns = made._training
    columns._table = np.full((len(columns._table), million), np.nan)
    columns._table[:2] = np.arange(1, million + 1), loss
    columns._table[columns._rows["grad_norm"]] = 0.5 + np.abs(noise(million, 0.1))
    columns._length = million
    times = []
    for _ in range(3):
        started = time.perf_counter()
        judged = judge(made, Facts())
        times.append(time.perf_counter() - started)
    assert names(judged) == ["no-validation"]
    assert min(times) < 0.5, times


def test_a_logged_curve_of_every_tenth_step_names_steps() -> None:
    assert "flat since step" in verdict(falling(100, 0.02), every=10).line
    found = series(falling(100, 0.02), every=10)
    assert found.curve("loss")[0][-1] == 1000
