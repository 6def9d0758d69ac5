"""Which curve of the train pane is looked at, and how."""

from dataclasses import replace

from workbench.ui.curve_view import CurveView
from workbench.ui.panes.base import Pane

VIEWS = ("log_axis", "axis", "smooth", "zoom_in", "zoom_out", "pan_left", "pan_right", "whole")
"""Actions that change how the curves are looked at."""


class LookPane(Pane):
    """A pane with charts."""

    view: CurveView
    metric: int

    def _draw(self, answer: bool = False) -> None:
        raise NotImplementedError

    def do_metric(self) -> None:
        """The next curve."""
        self.metric += 1
        self._draw()

    def _look(self, view: CurveView) -> None:
        self.view = view
        self._draw(answer=True)
        self.workbench.refresh_keys()

    def do_log_axis(self) -> None:
        """Logarithmic or linear."""
        self._look(replace(self.view, log_y=not self.view.log_y))

    def do_axis(self) -> None:
        """Over steps, epochs, tokens or minutes."""
        self._look(self.view.next_axis())

    def do_smooth(self) -> None:
        """The mean of the last points, the points themselves dim behind it."""
        self._look(self.view.next_smoothing())

    def do_zoom_in(self) -> None:
        """Half as much in view."""
        self._look(self.view.zoomed(nearer=True))

    def do_zoom_out(self) -> None:
        """Twice as much in view."""
        self._look(self.view.zoomed(nearer=False))

    def do_pan_left(self) -> None:
        """Towards the start."""
        self._look(self.view.panned(towards_end=False))

    def do_pan_right(self) -> None:
        """Towards the end; at the end the view goes along with the run."""
        self._look(self.view.panned(towards_end=True))

    def do_whole(self) -> None:
        """All of the run."""
        self._look(self.view.whole())
