"""The figures of every metric of a run in one table, as pandas' `describe` gives them."""

from dataclasses import astuple, dataclass

import numpy as np

from workbench.runs.events import EventTail
from workbench.runs.folder import Run
from workbench.runs.series import TRAINING, VALIDATION, Floats, Series

COUNTED = {name: name for name in ("epoch", "elapsed_tokens", "elapsed_examples", "seconds")}
"""What step events count beside their metrics."""

STATISTICS = ("count", "mean", "std", "min", "25%", "50%", "75%", "max")


@dataclass(frozen=True, slots=True)
class Description:
    """One metric; values that are NaN, or were not logged, do not count.

    Attributes:
        std: of a sample (n - 1); NaN for a single value.
        quarter: 25th percentile, interpolated linearly, as are the others.
    """

    count: int
    mean: float
    std: float
    min: float
    quarter: float
    median: float
    three_quarters: float
    max: float

    def named(self) -> dict[str, float]:
        """By pandas' names."""
        return dict(zip(STATISTICS, astuple(self), strict=True))


def describe_run(run: Run) -> dict[str, Description]:
    """Every metric of the run's log that has a value."""
    tail, series = EventTail(run.events), Series(COUNTED)
    while batch := tail.read():
        series.feed(batch)
    return describe(series)


def describe(series: Series) -> dict[str, Description]:
    """Every metric of a `Series(COUNTED)` that has a value; `step` are the steps of the training points."""
    steps, _ = series.curve("loss")
    columns = {"step": steps} | {name: series.curve(name)[1] for name in (*COUNTED, *TRAINING, *VALIDATION)}
    return {name: _description(values) for name, values in columns.items() if not np.isnan(values).all()}


def _description(values: Floats) -> Description:
    known = values[~np.isnan(values)]
    with np.errstate(invalid="ignore", over="ignore"):
        return Description(
            len(known),
            float(known.mean()),
            float(known.std(ddof=1)) if len(known) > 1 else float("nan"),
            float(known.min()),
            float(np.quantile(known, 0.25)),
            float(np.quantile(known, 0.5)),
            float(np.quantile(known, 0.75)),
            float(known.max()),
        )


def as_lines(described: dict[str, Description], width: int) -> list[str]:
    """The table as pandas prints it: a row a statistic; metrics that do not fit go into a block below."""
    label = max(map(len, STATISTICS))
    blocks: list[list[list[str]]] = []
    room = 0
    for name, description in described.items():
        column = [name, *(f"{value:.6g}" for value in astuple(description))]
        wide = max(map(len, column)) + 2
        if not blocks or wide > room:
            blocks.append([])
            room = width - label
        blocks[-1].append([cell.rjust(wide) for cell in column])
        room -= wide
    lines: list[str] = []
    for block in blocks:
        lines += [""] if lines else []
        for row, title in enumerate(("", *STATISTICS)):
            lines.append(title.ljust(label) + "".join(column[row] for column in block))
    return lines
