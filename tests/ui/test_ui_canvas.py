"""plotext 6 aborts the process on what it does not like: nothing of that may get through the guard."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ui.canvas import SMALLEST, Canvas, Line, Upright, _log_ticks, _ticks

WHITE = (255, 255, 255)

FUZZ = """
import sys
sys.path.insert(0, {tests!r})
from test_ui_canvas import fuzz
fuzz()
"""

# Values that broke plotext or an earlier guard, beside ordinary ones.
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.floats(0, 10),
    st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1e-31, 1e15, 9.99e14, -1e15, 1e308, -1e308, float("nan")]),
)
curve = st.builds(
    Line,
    st.lists(values, max_size=40),
    st.lists(values, max_size=40),
    st.just((1, 2, 3)),
    sign=st.sampled_from(["", "o"]),
)
upright = st.builds(Upright, values, st.sampled_from(["dotted", "double", "default"]), st.just((4, 5, 6)))


@settings(max_examples=400, deadline=None, database=None)
@given(
    st.integers(-1, 130),
    st.integers(-1, 40),
    st.lists(curve, max_size=4),
    st.booleans(),
    st.lists(upright, max_size=4),
)
def fuzz(width: int, height: int, lines: list[Line], log_y: bool, uprights: list[Upright]) -> None:
    rows = Canvas().draw(width, height, lines, log_y=log_y, uprights=uprights, foreground=WHITE)
    if width >= SMALLEST[0] and height >= SMALLEST[1]:
        assert len(rows) == height
    else:
        assert rows == []


def test_nothing_breaks_the_canvas() -> None:
    """In a process of its own, because what it looks for is an abort, and memory by the gigabyte."""
    import resource
    from pathlib import Path

    done = subprocess.run(
        [sys.executable, "-c", FUZZ.format(tests=str(Path(__file__).parent))],
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
    )
    assert done.returncode == 0, done.stderr[-3000:]


def plain(rows: list[str]) -> str:
    import re

    return "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", row) for row in rows)


def draw(*lines: Line, width: int = 80, height: int = 16, **options: object) -> str:
    return plain(Canvas().draw(width, height, list(lines), foreground=WHITE, **options))  # type: ignore[arg-type]


def test_every_row_has_the_width_asked_for() -> None:
    rows = draw(Line(range(100), range(100), WHITE), Line(range(100), range(100), WHITE)).split("\n")
    assert [len(row) for row in rows] == [80] * 16


def dots(picture: str) -> list[int]:
    """How many braille cells each column holds."""
    rows = [row.ljust(80) for row in picture.split("\n")]
    return [sum("\u2801" <= row[column] <= "\u28ff" for row in rows) for column in range(80)]


def test_missing_values_leave_a_hole() -> None:
    x = np.arange(1000.0)
    y = np.ones(1000)
    y[400:600] = np.nan
    columns = dots(draw(Line(x, y, WHITE)))
    assert columns[10:30] == [1] * 20
    assert columns[36:44] == [0] * 8
    assert columns[50:75] == [1] * 25


@pytest.mark.parametrize("length", [1_000, 99_991])
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_one_spike_among_many_points_is_seen(length: int, where: float) -> None:
    y = np.zeros(length)
    y[round(where * (length - 1))] = 1.0
    top = draw(Line(np.arange(float(length)), y, WHITE)).split("\n")[0]
    assert any("\u2801" <= character <= "\u28ff" for character in top)


def test_what_is_not_positive_is_missing_on_a_log_axis() -> None:
    picture = draw(Line([1, 2, 3, 4], [0.0, 1.0, -5.0, 100.0], WHITE), log_y=True)
    assert "100" in picture
    assert "10" in picture
    assert "-" not in picture


def test_signs_stand_on_the_line() -> None:
    assert draw(Line(range(50), range(50), WHITE, sign="o")).count("o") >= 5


def test_uprights_outside_the_data_do_not_widen_the_axis() -> None:
    line = Line([0, 100], [0, 1], WHITE)
    assert draw(line, uprights=[Upright(1e9, "default", WHITE)]) == draw(line)
    assert draw(line, uprights=[Upright(50, "default", WHITE)]) != draw(line)


@pytest.mark.parametrize(
    ("bounds", "labels"),
    [
        ((0, 250_000), ["0", "50k", "100k", "150k", "200k", "250k"]),
        ((0, 1_000_000), ["0", "0.2M", "0.4M", "0.6M", "0.8M", "1.0M"]),
        ((0, 3_000), ["0", "1000", "2000", "3000"]),
        ((0.6, 0.61), ["0.600", "0.602", "0.604", "0.606", "0.608", "0.610"]),
        ((0, 2e-4), ["0", "5.0e-5", "1.0e-4", "1.5e-4", "2.0e-4"]),
        ((123_456, 123_466), ["123456", "123458", "123460", "123462", "123464", "123466"]),
    ],
)
def test_ticks_read_well(bounds: tuple[float, float], labels: list[str]) -> None:
    assert _ticks(bounds, 5)[1] == labels


def test_log_ticks_read_well() -> None:
    assert _log_ticks((-3, 2), 6)[1] == ["0.001", "0.01", "0.1", "1", "10", "100"]
    assert _log_ticks((0, 1), 4)[1] == ["1", "2", "5", "10"]


@given(
    st.floats(-1e14, 1e14, allow_subnormal=False),
    st.floats(1e-6, 1e14),
    st.integers(2, 20),
)
def test_ticks_ascend_within_the_bounds_and_differ(low: float, size: float, count: int) -> None:
    high = low + max(size, abs(low) * 1e-6)
    places, labels = _ticks((low, high), count)
    assert places == sorted(places)
    assert low <= places[0] and places[-1] <= high
    assert 1 <= len(places) <= count + 3  # one alone tells no scale: then they stand closer
    assert all(len(label) <= 17 for label in labels)
