"""Curves and bars as SVG, made here so that a report needs no script and nothing from elsewhere.

Colours are attributes of classes, which the page around them sets for light and for dark.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from workbench.reports.document import Bars, Line, Plot

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 30
MOST_POINTS = 800
"""Of one curve: a pixel shows no more. What is left out lies between the lowest and the highest that stay."""
TICKS = 5
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "12 4")
"""Curves differ by them, so that colour is not the only sign."""
COLUMNS = 2
"""Of the legend: names of runs are long."""
BAR, GAP = 18, 8
STYLE = """\
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
svg .frame { stroke: currentColor; stroke-opacity: 0.25; fill: none; }
svg .line { fill: none; stroke-width: 1.5; }
svg .c0 { stroke: #2563a8; } svg .c1 { stroke: #b4540a; } svg .c2 { stroke: #2e7d32; }
svg .c3 { stroke: #8e24aa; } svg .c4 { stroke: #b71c1c; } svg .c5 { stroke: #546e7a; }
svg .bar { fill: #2563a8; }
"""


def plot(drawn: Plot) -> str:
    """The curves in one frame, with ticks and a legend; says so where there is no finite point."""
    lines = [_thinned(line) for line in drawn.lines]
    points = [(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
    legend = 18 * math.ceil(len(lines) / COLUMNS)
    if not points:
        return _svg(drawn.title, 30, [_text(LEFT, 20, "no finite point")])
    xs, ys = [x for x, _ in points], [y for _, y in points]
    across = _Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = _Axis(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    parts = [
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{HEIGHT - TOP - BOTTOM}"/>'
    ]
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<path class="frame" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{value:.4g}", anchor="end"))
    for value in across.ticks():
        parts.append(_text(across.place(value), HEIGHT - BOTTOM + 16, f"{value:,.6g}", anchor="middle"))
    for number, line in enumerate(lines):
        style = f'class="line c{number % 6}" stroke-dasharray="{DASHES[number % len(DASHES)]}"'
        parts.append(f'<path {style} d="{_path(line, across, up)}"/>')
        x = LEFT + (WIDTH - LEFT) // COLUMNS * (number % COLUMNS)
        y = HEIGHT + 14 + 18 * (number // COLUMNS)
        parts.append(f'<path {style} d="M{x} {y - 4}h28"/>')
        parts.append(_text(x + 34, y, _ending(line.label)))
    return _svg(drawn.title, HEIGHT + legend + 4, parts)


def bars(drawn: Bars) -> str:
    """A bar for each figure, from 0 to the greatest finite one."""
    finite = [value for _, value in drawn.values if math.isfinite(value)]
    most = max(finite, default=0.0)
    room = WIDTH - 330
    parts = []
    for number, (label, value) in enumerate(drawn.values):
        y = TOP + number * (BAR + GAP)
        width = room * value / most if math.isfinite(value) and most > 0 else 0.0
        parts.append(_text(220, y + 13, _short(label), anchor="end"))
        parts.append(f'<rect class="bar" x="230" y="{y}" width="{width:.1f}" height="{BAR}"/>')
        parts.append(_text(238 + width, y + 13, f"{value:.4g}"))
    return _svg(drawn.title, TOP + len(drawn.values) * (BAR + GAP), parts)


class _Axis:
    """From values to places in the picture."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        if high - low <= abs(high) * 1e-12:  # a flat curve lies in the middle
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        self.low, self.high, self.start, self.end = low, high, start, end

    def place(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> Iterator[float]:
        """Round values: multiples of 1, 2 or 5 times a power of ten, about `TICKS` of them."""
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough)
        value = math.ceil(self.low / step) * step
        while value <= self.high + step * 1e-9:
            yield 0.0 if abs(value) < step * 1e-9 else value
            value += step


def _thinned(line: Line) -> Line:
    """The lowest and the highest of each of so many stretches, where there are more points than that."""
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    if len(x) <= MOST_POINTS:
        return Line(line.label, x, y)
    kept: list[int] = []
    for stretch in np.array_split(np.arange(len(x)), MOST_POINTS // 2):
        values = y[stretch]
        if np.isnan(values).all():
            kept.append(int(stretch[0]))
            continue
        kept += sorted({int(stretch[np.nanargmin(values)]), int(stretch[np.nanargmax(values)])})
    return Line(line.label, x[kept], y[kept])


def _path(line: Line, across: _Axis, up: _Axis) -> str:
    """Stretches of finite points; a single one is a short stroke, so that it is seen."""
    pieces: list[str] = []
    pen_down, alone = False, ""
    for x, y in zip(line.x, line.y, strict=True):
        if not math.isfinite(y):
            pieces.append(alone)
            pen_down, alone = False, ""
            continue
        pieces.append(f"{'L' if pen_down else 'M'}{across.place(x):.1f} {up.place(y):.1f}")
        pen_down, alone = True, "" if pen_down else "h2"
    return "".join([*pieces, alone])


def _short(label: str, most: int = 32) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def _ending(label: str, most: int = 44) -> str:
    """Names of runs begin with the same date and differ at their ends."""
    return label if len(label) <= most else "…" + label[1 - most :]


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">'
    )
    return "".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>"])
