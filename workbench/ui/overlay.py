"""Several runs in one chart: a curve each, told apart by a sign and a colour, named by what differs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from workbench.runs.folder import Run
from workbench.ui.curve_view import CurveView
from workbench.ui.feed import RunFeed
from workbench.ui.run_figures import METRICS
from workbench.ui.widgets.chart import SIGNS, Curve

COLOURS = ("primary", "warning", "success", "error", "foreground", "secondary-lighten-3")
MOST = min(len(SIGNS), len(COLOURS))
"""More curves cannot be told apart."""

MARKS = ("─", *SIGNS[1:])
"""How a marked run looks in a list, in the order of marking: as its curve does."""

METRICS_OF_ONE = tuple(
    (title if len(curves) == 1 else f"{title}, {label}", metric)
    for title, curves in METRICS
    for label, metric, _ in curves
)
"""Title and metric of each overlay: training and validation are two of them."""

_STAMP = re.compile(r"^\d{8}-(\d{6})-?")


def overlay(view: CurveView, feeds: Mapping[Run, RunFeed], metric: str) -> list[Curve]:
    """One curve a run in the order of `feeds`; of smoothed ones the points are there too, dim and unnamed."""
    drawn: list[Curve] = []
    names = short_names([run.id for run in feeds])
    for feed, name, colour in zip(feeds.values(), names, COLOURS, strict=False):
        curves = view.curves(feed.series, ((name, metric, colour),))
        drawn += (replace(curve, label="") if curve.faint else curve for curve in curves)
    return drawn


def short_names(names: Sequence[str]) -> list[str]:
    """What tells these names apart: the words that not all begin or end with, else the time too."""
    words = [_STAMP.sub("", name).split("-") for name in names]
    start = _common(words)
    end = _common([each[start:][::-1] for each in words])
    short = ["-".join(each[start : len(each) - end]) for each in words]
    if len(set(short)) == len(short) and all(short):
        return short
    times = [(match[1] if (match := _STAMP.match(name)) else "") for name in names]
    timed = [" ".join(filter(None, pair)) for pair in zip(times, short, strict=True)]
    return timed if len(set(timed)) == len(timed) and all(timed) else list(names)


def _common(words: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    return len(list(takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))))
