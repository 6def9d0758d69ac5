"""Sampling settings tried against each other: which combinations, and which of them to take."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from workbench.errors import Problem, WorkbenchError, fault
from workbench.evaluation.checks.registry import CHECKS
from workbench.evaluation.checks.summary import Summary
from workbench.evaluation.intervals import Interval, wilson
from workbench.project.sampling import Sampling

RULE = (
    "suggested: the most answers without any finding; of equally many the lowest temperature, then the "
    "penalties that change least (presence penalty 0, repetition penalty 1), then the highest top_p. "
    "Settings whose intervals (Wilson's, 95 per cent) overlap with the best one's are not told apart by "
    "these rows"
)
VARIED = ("temperature", "presence_penalty", "repetition_penalty", "top_p")
"""Settings that a grid may vary, in the order in which they stand in its table."""
DEFAULT_GRID: Mapping[str, Sequence[float]] = {
    "temperature": (0.1, 0.2, 0.3),
    "presence_penalty": (0.5, 0.75, 1.0),
}
"""What the Vietnamese customer service project tried."""
MOST = 100
"""Cells of one grid: each answers all rows."""

Overrides = dict[str, float]
"""Setting of `[chat]` to value."""


@dataclass(frozen=True)
class Cell:
    """One combination with what the checks found in its answers."""

    overrides: Overrides
    checks: Summary

    @property
    def clean(self) -> Interval:
        """Of the share of answers without a finding."""
        return wilson(self.checks.clean, self.checks.rows)


@dataclass(frozen=True)
class Suggestion:
    """The settings to take, by `RULE`.

    Attributes:
        cell: the best one.
        alike: the others that the rows do not tell from it.
        why: one line with the figures.
    """

    cell: Cell
    alike: tuple[Cell, ...]
    why: str


def cells(axes: Mapping[str, Sequence[Any]] = DEFAULT_GRID) -> list[Overrides]:
    """Every combination of the values, the first axis slowest; those that must answer alike come once.

    At temperature 0 the likeliest token is taken, whatever top_p is.

    Args:
        axes: one of `VARIED` to its values.

    Raises WorkbenchError with all that is wrong: another setting, a value out of its bounds, no values, too
    many combinations.
    """
    problems = []
    for name, values in axes.items():
        if name not in VARIED:
            problems.append(Problem("cannot be varied in a grid", name, f"one of {', '.join(VARIED)}"))
        elif not values:
            problems.append(Problem("has no values", name))
        else:
            problems += [problem for value in values for problem in _wrong(name, value)]
    if problems:
        raise WorkbenchError(*problems)
    names = [name for name in VARIED if name in axes]
    distinct: dict[tuple[tuple[str, float], ...], Overrides] = {}
    for values in itertools.product(*(axes[name] for name in names)):
        cell = dict(zip(names, map(float, values), strict=True))
        told = {k: v for k, v in cell.items() if k != "top_p" or cell.get("temperature") != 0}
        distinct.setdefault(tuple(told.items()), cell)
    if not names or len(distinct) > MOST:
        raise fault(f"{len(distinct):,} combinations: 1 to {MOST} make a grid", "grid", "name fewer values")
    return list(distinct.values())


def suggest(grid: Sequence[Cell]) -> Suggestion:
    """The cell to take, by `RULE`; one that has fewer answers than others is not held against them.

    Raises WorkbenchError: no cell has answers.
    """
    most = max((cell.checks.rows for cell in grid), default=0)
    if not most:
        raise fault("no answers yet: nothing can be suggested", "grid")
    answered = [cell for cell in grid if cell.checks.rows == most]
    best = min(answered, key=_rank)
    low = best.clean[0]
    alike = tuple(cell for cell in answered if cell is not best and cell.clean[1] >= low)
    why = (
        f"{written(best.overrides)}: {best.checks.clean:,} of {best.checks.rows:,} answers without a finding"
    )
    if alike:
        why += f"; {len(alike)} of {len(answered) - 1} others are not told apart from it by so few rows"
    return Suggestion(best, alike, why)


def table(grid: Sequence[Cell]) -> tuple[list[str], list[list[str]]]:
    """Head and lines of text: the varied settings, answers, those without a finding, and for each check that
    found anything anywhere its answers."""
    names = [name for name in VARIED if any(name in cell.overrides for cell in grid)]
    found = [name for name in CHECKS if any(cell.checks.share(name) for cell in grid)]
    lines = [
        [f"{cell.overrides[name]:g}" if name in cell.overrides else "" for name in names]
        + [f"{cell.checks.rows:,}", f"{cell.checks.clean:,}"]
        + [f"{count.rows:,}" for count in cell.checks.counts if count.check in found]
        for cell in grid
    ]
    return [*names, "answers", "clean", *found], lines


def written(overrides: Mapping[str, float]) -> str:
    """`temperature=0.1 presence_penalty=0.5`, as on the command line."""
    return " ".join(f"{name}={value:g}" for name, value in overrides.items())


def _rank(cell: Cell) -> tuple[float, ...]:
    settings = Sampling.model_validate(cell.overrides)
    return (
        -cell.checks.clean / cell.checks.rows,
        settings.temperature,
        abs(settings.presence_penalty),
        abs(settings.repetition_penalty - 1),
        -settings.top_p,
    )


def _wrong(name: str, value: Any) -> list[Problem]:
    try:
        Sampling.model_validate({name: value})
    except ValidationError as error:
        return [Problem(f"{each['msg']}: {value!r}", name) for each in error.errors(include_url=False)]
    return []
