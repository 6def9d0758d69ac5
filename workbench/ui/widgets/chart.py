"""Curves over training steps, drawn with braille dots; only changed rows are sent to the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve.

    Attributes:
        label: its name in the legend.
        x: ascending, length N.
        y: length N; NaN and infinity leave a gap.
        colour: name of a theme variable such as `primary`.
        right: measured on the right axis.
        dim: drawn in the background, such as raw values behind their average.
    """

    label: str
    x: "Sequence[float] | NDArray"
    y: "Sequence[float] | NDArray"
    colour: str = "primary"
    right: bool = False
    dim: bool = False


@dataclass(frozen=True)
class Mark:
    """A vertical line at `x`, explained by `label` in the legend; marks of equal label look alike."""

    x: float
    label: str


class Chart(Widget):
    """A title with the legend, and the curves below it."""

    def set_curves(self, curves: Sequence[Curve], *, title: str = "", log_y: bool = False, marks: Sequence[Mark] = ()) -> None:
        """Show these; drawn at once, or within a second when the last drawing is younger than that."""
