"""Sampling settings as a person names them, as contestants of a plan, and as cells of the grid's table."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.errors import fault
from workbench.evaluation.contents import Contents
from workbench.evaluation.grid import DEFAULT_GRID, VARIED, Cell, cells, written
from workbench.project.evaluation import Decoding
from workbench.runs.sweep.choices import Span, parse_axes


def parse_decodings(text: str, base: Decoding) -> dict[str, Decoding]:
    """`temperature=0.1,0.2 presence_penalty=0.5,1`: every combination laid over `base`, by its name.

    `DEFAULT_GRID` for an empty text. Raises WorkbenchError: it is none of these, as `grid.cells`.
    """
    axes: Mapping[str, Any] = parse_axes(text) if text.strip() else DEFAULT_GRID
    for name, axis in axes.items():
        if isinstance(axis, Span):
            raise fault("a range has no end of values", name, f"name them: {name}=0.1,0.2,0.3")
    return {written(cell): base.model_copy(update=cell) for cell in cells(axes)}


def grid_of(contents: Contents) -> list[Cell]:
    """A cell for each contestant that has settings of its own; empty for other comparisons."""
    drawn = [contestant.decoding for contestant in contents.plan.contestants]
    if contents.plan.kind != "sampling":
        return []
    names = _named([each for each in drawn if each is not None], contents.plan.settings.decoding)
    return [
        Cell({name: float(getattr(decoding, name)) for name in names}, results.checks)
        for decoding, results in zip(drawn, contents.results, strict=True)
        if decoding is not None
    ]


def _named(drawn: Sequence[Decoding], base: Decoding) -> list[str]:
    """Settings that differ between the cells, or from `base`: what was found holds with them."""
    return [name for name in VARIED if len({getattr(each, name) for each in (base, *drawn)}) > 1]
