"""The one module that talks to plotext 6: what reaches it is finite, in view, and a few points a column.

plotext 6.1 aborts the process on a NaN (`std::bad_alloc`), rasterises points outside its limits (one spike of
1e5 in a window of 5 takes 765 MB), raises on an empty log axis and on a size of zero, and needs 20 s for a
million points. So limits, logarithm, ticks and thinning are made here, and plotext only draws.

Importing this module costs about 0.3 s (numpy and plotext): import it after the first frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10

import numpy as np
import plotext as plt
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Colour = tuple[int, int, int]

SMALLEST = (24, 4)
"""Columns and rows below which there is no room for axes and a curve."""

_LARGEST = 1e15
"""Beyond it a value is a gap, as NaN is: plotext loses its integers, and no healthy metric is so large."""

_NARROWEST = 1e-30
"""A range below it has no room for ticks in doubles once it is divided."""

_SMALLEST_LOG = 1e-300
"""Below it a value has no place on a logarithmic axis."""

_NICE = (1, 2, 5, 10)
_UNITS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
"""From which value on, unit, letter: 1000 reads better than 1k."""


@dataclass(frozen=True, eq=False)
class Line:
    """A curve as it is drawn.

    Attributes:
        x, y: length N each (the shorter one counts); a pair that is not finite leaves a gap.
        colour: red, green, blue.
        sign: one character set on the line now and then, so that lines differ without colour; empty for none.
    """

    x: ArrayLike
    y: ArrayLike
    colour: Colour
    sign: str = ""


@dataclass(frozen=True)
class Upright:
    """A vertical line at `x`; `style` is plotext's `default`, `dotted`, `heavy` or `double`."""

    x: float
    style: str
    colour: Colour


@dataclass(frozen=True, eq=False)
class _Drawable:
    x: Numbers
    y: Numbers
    gaps: NDArray[np.intp]
    line: Line


class Canvas:
    """A figure of its own; reused, because a new one for each frame leaks about a kilobyte."""

    def __init__(self) -> None:
        terminal = type(plt.terminal)()
        terminal.limit(False, False)
        # The public `plt.figure` is one global for the process; this private name is why plotext is pinned.
        self._figure = terminal._master

    def draw(
        self,
        width: int,
        height: int,
        lines: Sequence[Line],
        *,
        log_y: bool = False,
        window: tuple[float, float] | None = None,
        uprights: Sequence[Upright] = (),
        foreground: Colour,
    ) -> list[str]:
        """At most `height` rows of `width` cells, text with SGR colours; none when there is too little room.

        Axes and ticks are drawn in `foreground`. Of every line only what lies in `window` is drawn, and the
        upright axis fits that; x must then ascend. With `log_y` the upright axis is logarithmic, and values
        that are not positive are gaps.
        """
        if width < SMALLEST[0] or height < SMALLEST[1]:
            return []
        drawables = [_reduce(_inside(line, window), width, log_y) for line in lines]
        drawables = [each for each in drawables if len(each.x)]
        x_range, y_range = _range([each.x for each in drawables]), _range([each.y for each in drawables])

        if window is not None:
            x_range = window
        figure = self._figure
        figure.clear.all()
        figure.plot_size(width, height)
        figure.canvas("default")
        figure.axes(pixel=(foreground, "default"))
        figure.axes(False, axis="x", side="upper")
        figure.axes(False, axis="y", side="right")
        figure.ruler([0, 1], [0, 1]).pixel((foreground, "default"))
        figure.legend(False)
        for upright in uprights:
            if x_range[0] <= upright.x <= x_range[1]:
                pixel = (upright.colour, "default")
                figure.line(upright.x, "vertical", relative=True, pixel=pixel, style=upright.style)
        for each in drawables:
            self._draw_line(each, width)

        whole = all(np.array_equal(each.x, np.round(each.x)) for each in drawables)
        lower = figure.ruler("x", "lower")
        lower.lim(*x_range)
        lower.ticks(*_ticks(x_range, max(2, width // 12), least=1.0 if whole else 0.0))
        left = figure.ruler("y", "left")
        left.lim(*y_range)
        left.ticks(*(_log_ticks if log_y else _ticks)(y_range, max(3, height // 3)))
        return [row for row in figure.build().string().split("\n") if row][:height]

    def _draw_line(self, each: _Drawable, width: int) -> None:
        colour = each.line.colour
        dots = plt.marker("braille", (colour, "default"))
        signal = self._figure.signal(each.x.tolist(), each.y.tolist(), marker=dots)
        signal.lines()
        for gap in each.gaps:
            signal.line(int(gap), False)
        self._figure.draw(signal)
        if each.line.sign:
            every = max(1, ceil(len(each.x) / (width / 8)))
            x, y = each.x[::every].tolist(), each.y[::every].tolist()
            sign = plt.marker(each.line.sign, (colour, "default"))
            self._figure.draw(self._figure.signal(x, y, marker=sign))


def _inside(line: Line, window: tuple[float, float] | None) -> Line:
    """The part of a line that is in view: plotext would rasterise the rest as well."""
    if window is None:
        return line
    x, y = np.asarray(line.x, np.float64).ravel(), np.asarray(line.y, np.float64).ravel()
    seen = slice(np.searchsorted(x, window[0]), np.searchsorted(x, window[1], side="right"))
    return replace(line, x=x[seen], y=y[seen])


def _reduce(line: Line, width: int, logarithmic: bool) -> _Drawable:
    """At most 4 * width points: lowest and highest of each column, so that no spike disappears; and gaps."""
    x, y = np.asarray(line.x, np.float64).ravel(), np.asarray(line.y, np.float64).ravel()
    length = min(len(x), len(y))
    x, y = x[:length], y[:length]
    floor_y = _SMALLEST_LOG if logarithmic else -_LARGEST
    complete = length > 0 and _within(x, -_LARGEST) and _within(y, floor_y)
    usable = np.empty(0, bool) if complete else _usable(x, -_LARGEST) & _usable(y, floor_y)
    kept = None if complete else np.flatnonzero(usable)
    values = y if kept is None else y[kept]
    buckets = width
    if len(values) > 4 * buckets:
        size = len(values) // buckets
        table = values[: size * buckets].reshape(buckets, size)
        base = np.arange(buckets) * size
        rest = np.arange(size * buckets, len(values))
        ends = [rest[values[rest].argmin()], rest[values[rest].argmax()]] if len(rest) else []
        picked = np.unique(
            np.concatenate([[0], base + table.argmin(1), base + table.argmax(1), ends, [len(values) - 1]])
        ).astype(np.intp)
    else:
        picked = np.arange(len(values))
    indices = picked if kept is None else kept[picked]
    gaps = np.empty(0, np.intp) if complete else np.flatnonzero(np.diff(np.cumsum(~usable)[indices]) > 0) + 1
    y = y[indices]
    return _Drawable(x[indices], np.log10(y) if logarithmic else y, gaps, line)


def _within(values: Numbers, low: float) -> bool:
    """All are usable: a quick look that spares the mask of a million values; NaN compares false."""
    return bool(values.min() > low and values.max() < _LARGEST)


def _usable(values: Numbers, low: float) -> NDArray[np.bool_]:
    return (values > low) & (values < _LARGEST)


def _range(arrays: Sequence[Numbers]) -> tuple[float, float]:
    """Lowest and highest value with room between them; 0 to 1 for nothing."""
    if not arrays:
        return 0.0, 1.0
    low, high = float(min(array.min() for array in arrays)), float(max(array.max() for array in arrays))
    size = max(abs(low), abs(high))
    if high - low <= size * 1e-6 or high - low < _NARROWEST:
        room = size / 2 if size > _NARROWEST else 0.5
        return low - room, high + room
    return low, high


def _ticks(bounds: tuple[float, float], count: int, least: float = 0.0) -> tuple[list[float], list[str]]:
    """About `count` round numbers within the bounds, and how they read; `least` is the smallest step.

    One number alone tells no scale: then the numbers stand closer, where `least` allows it.
    """
    low, high = bounds
    for finer in (1, 2, 4):
        rough = max((high - low) / (count * finer), least)
        power = 10.0 ** floor(log10(rough))
        step = next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last > first:
            break
    places = [min(max(number * step, low), high) for number in range(first, last + 1)] or [(low + high) / 2]
    return places, _labels(places, step)


def _labels(values: Sequence[float], step: float) -> list[str]:
    """Numbers that differ by `step`, in few characters: 250k, 1.5, 2e-4."""
    largest = max(map(abs, values))
    if largest < 1e-3 or largest >= 1e12:
        digits = max(0, floor(log10(max(largest, step))) - floor(log10(step) + 1e-9))
        return [_scientific(value, min(digits, 3)) for value in values]
    unit, letter = next((each[1:] for each in _UNITS if largest >= each[0]), (1.0, ""))
    digits = max(0, -floor(log10(step / unit) + 1e-9))
    if letter and digits > 2:
        unit, letter, digits = 1.0, "", max(0, -floor(log10(step) + 1e-9))
    return [f"{value / unit:.{min(digits, 6)}f}{letter}" if value else "0" for value in values]


def _scientific(value: float, digits: int) -> str:
    if not value:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _log_ticks(bounds: tuple[float, float], count: int) -> tuple[list[float], list[str]]:
    """About `count` ticks of an axis of powers of ten: whole decades, else 1 2 5, else as if linear."""
    low, high = bounds
    for factors in ((1.0,), (1.0, 2.0, 5.0)):
        values = [factor * 10.0**decade for decade in range(floor(low), ceil(high) + 1) for factor in factors]
        values = [value for value in values if value >= _SMALLEST_LOG and low <= log10(value) <= high]
        if len(values) >= max(2, count * 2 / 3):
            values = values[:: ceil(len(values) / count)]
            return [log10(value) for value in values], [_labels([value], value)[0] for value in values]
    places, labels = _ticks((10.0**low, 10.0**high), count)
    return [min(max(log10(max(place, _SMALLEST_LOG)), low), high) for place in places], labels
