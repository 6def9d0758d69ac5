"""Which settings a sweep tries: every combination, or some drawn by chance."""

import itertools
import math
import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import fault
from workbench.project.layers import key_path
from workbench.project.store import OpenProject, open_project
from workbench.runs.sweep.store import STEPS, Halving

MOST = 500
"""Runs of one sweep; more is a slip of the pen."""

DRAWS_PER_RUN = 200
"""Tries to find a combination that was not drawn before."""

_BETWEEN = re.compile(r"\s+(?=[A-Za-z_][\w.]*\s*=)")
"""Blanks before the next setting; those within its values stay."""

_RANGE = re.compile(r"\s*([-+.\deE]+)\s*\.\.\s*([-+.\deE]+)\s*")


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, drawn evenly on a logarithmic scale: learning rates differ by factors."""

    low: float
    high: float
    whole: bool

    def draw(self, source: random.Random) -> float | int:
        """One of them, to three digits."""
        value = math.exp(source.uniform(math.log(self.low), math.log(self.high)))
        return round(value) if self.whole else float(f"{value:.3g}")


Axis = Sequence[Any] | Span
"""The values of one setting."""


def parse_axis(text: str) -> tuple[str, Axis]:
    """`training.rank=8,16`, `training.target_modules=[["q_proj"], ["v_proj"]]`, `training.alpha=8..64`.

    Raises:
        WorkbenchError: it is none of these.
    """
    key, equals, values = text.partition("=")
    key = key.strip()
    if not equals or not key or not values.strip():
        raise fault("not of the form KEY=A,B,C", f"--vary {text}", "such as --vary training.rank=8,16")
    if match := _RANGE.fullmatch(values):
        return key, _span(match[1], match[2], text)
    found = _toml(f"[{values}]")
    if found is None:
        found = [_plain(value.strip()) for value in values.split(",")]
    elif len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    distinct = [value for n, value in enumerate(found) if value not in found[:n]]
    return key, distinct


def parse_axes(text: str) -> dict[str, Axis]:
    """Several of them with blanks between: `training.rank=8,16 training.alpha=8..64`.

    Raises:
        WorkbenchError: as `parse_axis`.
    """
    return dict(map(parse_axis, _BETWEEN.split(text.strip())))


@dataclass(frozen=True)
class Plan:
    """A sweep that is not queued yet.

    Attributes:
        keys: the settings that differ.
        projects: one for each run.
        moves_validation: settings among `keys` that change what is measured.
        halving: where only the best go on.
    """

    keys: list[str]
    projects: list[OpenProject]
    moves_validation: list[str]
    halving: Halving | None


def plan(
    project: OpenProject,
    axes: Mapping[str, Axis],
    draws: int | None = None,
    seed: int = 42,
    halve: int | None = None,
) -> Plan:
    """Every combination, or `draws` of them by chance; with `halve` all begin with so many steps.

    Raises:
        WorkbenchError: as `grid` and `projects`, or halving cannot begin like that.
    """
    choices = grid(axes) if draws is None else draw(axes, draws, seed)
    steps: dict[str, Any] = {}
    if halve is not None:
        if halve < 1 or STEPS in axes:
            raise fault("halving needs steps from 1 on, and varies max_steps itself", f"{halve} steps")
        steps = {STEPS: halve}
    made = projects(project, [choice | steps for choice in choices])
    return Plan(list(axes), made, moves_validation(axes), None if halve is None else Halving(steps=halve))


def grid(axes: Mapping[str, Axis]) -> list[dict[str, Any]]:
    """Every combination, the last setting turning fastest.

    Raises:
        WorkbenchError: a span has no end of values, or the combinations are too many.
    """
    for key, axis in axes.items():
        if isinstance(axis, Span):
            raise fault(
                f"{key} has a range, which a grid cannot go through", hint="draw some by chance: --random N"
            )
    lists = [list(axis) for axis in axes.values() if not isinstance(axis, Span)]
    size = math.prod(map(len, lists))
    if size > MOST:
        raise fault(f"{size:,} runs are more than {MOST}", hint="draw some by chance: --random N")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*lists)]


def draw(axes: Mapping[str, Axis], runs: int, seed: int) -> list[dict[str, Any]]:
    """`runs` different combinations by chance, or all if they are fewer; the same for the same seed."""
    source = random.Random(seed)
    drawn: list[dict[str, Any]] = []
    for _ in range(min(runs, MOST) * DRAWS_PER_RUN):
        one = {
            key: axis.draw(source) if isinstance(axis, Span) else source.choice(axis)
            for key, axis in axes.items()
        }
        if one not in drawn:
            drawn.append(one)
        if len(drawn) == min(runs, MOST):
            break
    return drawn


def projects(project: OpenProject, choices: Sequence[Mapping[str, Any]]) -> list[OpenProject]:
    """The project with each of the choices laid in.

    Raises:
        WorkbenchError: what is wrong with the first choice that cannot be; none is started then.
    """
    return [
        open_project(project.folder, project.profile, project.overrides | dict(choice)) for choice in choices
    ]


def moves_validation(axes: Mapping[str, Axis]) -> list[str]:
    """Settings that choose other validation rows, or read them otherwise: losses then cannot be compared."""
    moving = {("data",), ("prompt",), ("model", "base")}
    return [key for key in axes if any(key_path(key)[: len(path)] == path for path in moving)]


def _span(low: str, high: str, text: str) -> Span:
    try:
        bounds = float(low), float(high)
    except ValueError:
        bounds = math.nan, math.nan
    if not 0 < bounds[0] < bounds[1] < math.inf:
        hint = "both ends above 0, the smaller one first, such as 1e-5..1e-3"
        raise fault("not a range of numbers", f"--vary {text}", hint)
    return Span(*bounds, whole=low.isdecimal() and high.isdecimal())


def _plain(text: str) -> Any:
    found = _toml(text)
    return text if found is None else found


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, KeyError, RecursionError):
        return None
