"""The table of a run's metrics equals that of pandas."""

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runs.describe import COUNTED, STATISTICS, Description, as_lines, describe, describe_run
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.series import Series

NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.none())


def described(losses: list[float | None]) -> dict[str, Description]:
    series = Series(COUNTED)
    series.feed({"kind": "step", "step": at, "loss": loss} for at, loss in enumerate(losses, 1))
    return describe(series)


@settings(max_examples=150, deadline=None)
@given(losses=st.lists(NUMBERS, min_size=1, max_size=60))
def test_equals_pandas(losses: list[float | None]) -> None:
    expected = pd.Series(losses, dtype=float).describe()
    found = described(losses)
    if expected["count"] == 0:
        assert "loss" not in found
        return
    for name, value in found["loss"].named().items():
        assert value == pytest.approx(expected[name], rel=1e-6, abs=1e-6, nan_ok=True), name


def test_results_of_openai_with_blank_validation_cells(run: Run) -> None:
    """139 steps of batch 4, validation every eighth step and at the last, as pandas describes the CSV."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "step": np.arange(1, 140),
            "elapsed_examples": np.arange(1, 140) * 4,
            "loss": generator.lognormal(-2.5, 1, 139),
            "token_accuracy": generator.uniform(0.7, 1, 139),
        }
    )
    checked = (frame["step"] % 8 == 1) | (frame["step"] == 139)
    frame["validation_loss"] = np.where(checked, generator.lognormal(-2, 1, 139), np.nan)
    writer = EventWriter(run.events)
    for row in frame.to_dict("records"):
        validation = row.pop("validation_loss")
        writer.write("step", **row)
        if not math.isnan(validation):
            writer.write("evaluated", step=row["step"], validation_loss=validation)
    writer.close()
    found = describe_run(run)
    assert set(found) == set(frame.columns)
    for column in frame:
        expected = frame[column].describe()
        assert found[column].named() == pytest.approx(expected.to_dict(), rel=1e-6)
    assert found["validation_loss"].count == 19


def test_a_resume_counts_each_step_once(run: Run) -> None:
    writer = EventWriter(run.events)
    for step in range(1, 11):
        writer.write("step", step=step, loss=1.0)
    writer.write("started", resumed_from=5, attempt=2)
    for step in range(6, 9):
        writer.write("step", step=step, loss=2.0)
    writer.close()
    found = describe_run(run)["loss"]
    assert (found.count, found.mean) == (8, pytest.approx(11 / 8))


def test_nothing_logged_is_an_empty_table(run: Run) -> None:
    assert describe_run(run) == {} and as_lines({}, 80) == []


@pytest.mark.parametrize("width", [20, 62, 10_000])
def test_lines_fit_and_say_it_all(width: int, tmp_path: Path) -> None:
    series = Series(COUNTED)
    series.feed(
        {"kind": "step", "step": step, "loss": 1 / step, "grad_norm": 0.5, "learning_rate": 1e-4}
        for step in range(1, 20)
    )
    lines = as_lines(describe(series), width)
    assert max(map(len, lines)) <= max(width, 24)
    blocks = "\n".join(lines).split("\n\n")
    frames = [pd.read_csv(io.StringIO(block), sep=r"\s+") for block in blocks]
    assert [name for frame in frames for name in frame.columns] == [
        "step",
        "loss",
        "learning_rate",
        "grad_norm",
    ]
    assert all(list(frame.index) == list(STATISTICS) for frame in frames)
