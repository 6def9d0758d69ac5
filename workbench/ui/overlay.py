"""Several runs in one chart: a curve each, told apart by a sign and a colour, named by what differs."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

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

KEY_CELLS = 6
"""What a legend needs for each curve beside its name."""

LEAST_NAME = 5

_STAMP = re.compile(r"^\d{8}-(\d{6})-?")


def overlay(view: CurveView, feeds: Mapping[Run, RunFeed], metric: str, room: int) -> list[Curve]:
    """One curve a run in the order of `feeds`; of smoothed ones the points are there too, dim and unnamed.

    Args:
        room: cells of the legend: longer names lose their middle.
    """
    drawn: list[Curve] = []
    names = fitted(short_names([run.id for run in feeds]), room)
    for feed, name, colour in zip(feeds.values(), names, COLOURS, strict=False):
        curves = view.curves(feed.series, ((name, metric, colour),))
        drawn += (replace(curve, label="" if curve.faint else name) for curve in curves)
    return drawn


def fitted(names: Sequence[str], room: int) -> list[str]:
    """The longest ones cut in their middle until there is room for all, but to no less than `LEAST_NAME`."""
    most = max(map(len, names), default=0)
    while most > LEAST_NAME and sum(min(len(name), most) + KEY_CELLS for name in names) > room:
        most -= 1
    end = most // 2
    return [name if len(name) <= most else f"{name[: most - end - 1]}…{name[-end:]}" for name in names]


def short_names(names: Sequence[str]) -> list[str]:
    """What tells these names apart: the words that no more than half of them have, else the time too."""
    words = [_STAMP.sub("", name).split("-") for name in names]
    owners = Counter(word for each in words for word in set(each))
    short = ["-".join(word for word in each if owners[word] * 2 <= len(names)) for each in words]
    if len(set(short)) == len(short) and all(short):
        return short
    times = [(match[1] if (match := _STAMP.match(name)) else "") for name in names]
    timed = [" ".join(filter(None, pair)) for pair in zip(times, short, strict=True)]
    return timed if len(set(timed)) == len(timed) and all(timed) else list(names)
