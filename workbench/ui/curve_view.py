"""How curves are looked at: over which axis, how smooth, and which part of them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from workbench.ui.widgets.chart import Curve, Mark

if TYPE_CHECKING:
    from workbench.runs.series import Floats, Series

AXES = ("step", "epoch", "tokens", "minutes")
SMOOTHING = (1, 5, 20, 100, 500)
"""Points whose mean is drawn; 1 draws the points themselves."""

T = TypeVar("T")
ZOOM = 2.0
PAN = 0.25
"""Share of the window that one key moves it by."""

NARROWEST = 1e-3
"""Share of the run that the closest window shows."""

MOST_EPOCH_LINES = 5


@dataclass(frozen=True)
class CurveView:
    """What the keys of the train pane have set.

    Attributes:
        axis: one of `AXES`.
        smoothing: one of `SMOOTHING`.
        log_y: logarithmic upright axis, where the metric allows it.
        width: share of the run that is in view, at most 1.
        right: right end of what is in view as a share of the run; 1 goes along with a run that grows.
    """

    axis: str = "step"
    smoothing: int = 1
    log_y: bool = False
    width: float = 1.0
    right: float = 1.0

    @property
    def over(self) -> str:
        """What a title says of the axis."""
        return "" if self.axis == "step" else f" by {self.axis}"

    def next_axis(self) -> "CurveView":
        """Another axis; about the same part of the run stays in view."""
        return replace(self, axis=_after(AXES, self.axis))

    def next_smoothing(self) -> "CurveView":
        """Smoother, then raw again."""
        return replace(self, smoothing=_after(SMOOTHING, self.smoothing))

    def zoomed(self, nearer: bool) -> "CurveView":
        """Half as much in view, or twice; around the middle, but at the right end if that is in view."""
        width = min(1.0, max(NARROWEST, self.width / ZOOM if nearer else self.width * ZOOM))
        middle = self.right - self.width / 2
        right = 1.0 if self.right == 1.0 else min(1.0, max(width, middle + width / 2))
        return replace(self, width=width, right=right)

    def panned(self, towards_end: bool) -> "CurveView":
        """A quarter of the window to the left or to the right."""
        shift = self.width * PAN * (1 if towards_end else -1)
        return replace(self, right=min(1.0, max(self.width, self.right + shift)))

    def whole(self) -> "CurveView":
        """All of the run in view."""
        return replace(self, width=1.0, right=1.0)

    def window(self, curves: "list[Curve]") -> tuple[float, float] | None:
        """Lowest and highest x in view; None for all, and before there are two points."""
        ends = [(float(curve.x[0]), float(curve.x[-1])) for curve in curves if len(curve.x)]
        if self.width == 1.0 or not ends:
            return None
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        span = high - low
        return (low + (self.right - self.width) * span, low + self.right * span) if span > 0 else None

    def curves(self, series: "Series", wanted: tuple[tuple[str, str, str], ...]) -> list[Curve]:
        """The curves of one chart (label, metric, colour each); a smoothed one has its raw one behind it."""
        drawn: list[Curve] = []
        for label, metric, colour in wanted:
            steps, values = series.curve(metric)
            x, values = _placed(series.positions(self.axis, steps), values)
            if self.smoothing > 1 and len(values) > self.smoothing:
                drawn.append(Curve("raw", x, values, colour, faint=True))
                drawn.append(Curve(f"{label} ~{self.smoothing}", x, mean(values, self.smoothing), colour))
            else:
                drawn.append(Curve(label, x, values, colour))
        return drawn

    def marks(self, series: "Series", window: tuple[float, float] | None) -> list[Mark]:
        """Where the run was resumed, its best checkpoint, and ends of epochs: only some of many."""
        import numpy as np

        low, high = window or (-np.inf, np.inf)
        best = [series.best] if series.best is not None else []
        epochs = series.positions(self.axis, series.epoch_starts())
        epochs = epochs[(epochs >= low) & (epochs <= high)]
        every = max(1, -(-len(epochs) // MOST_EPOCH_LINES))
        places = {
            "resumed": series.positions(self.axis, np.array(series.seams, np.float64)),
            "best": series.positions(self.axis, np.array(best, np.float64)),
            "epoch" if every == 1 else f"{every} epochs": epochs[every - 1 :: every],
        }
        return [Mark(float(x), label) for label, xs in places.items() for x in xs if np.isfinite(x)]


def mean(values: "Floats", points: int) -> "Floats":
    """Running mean over the last `points` values, of fewer at the start; what is no number is skipped.

    Returns:
        As long as `values`; NaN where none of the window is a number.
    """
    import numpy as np

    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0))
    counts = np.cumsum(known)
    sums[points:] -= sums[:-points].copy()
    counts[points:] -= counts[:-points].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / np.where(counts > 0, counts, np.nan)


def _placed(x: "Floats", values: "Floats") -> "tuple[Floats, Floats]":
    """Without the points that have no place on the axis."""
    import numpy as np

    known = np.isfinite(x)
    return (x, values) if known.all() else (x[known], values[known])


def _after(choices: tuple[T, ...], chosen: T) -> T:
    return choices[(choices.index(chosen) + 1) % len(choices)]
