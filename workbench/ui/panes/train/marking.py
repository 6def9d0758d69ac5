"""Runs that are marked in the list: their curves in one chart, and their comparison."""

from typing import TypeVar

from workbench.runs.folder import Run
from workbench.runs.status import RunStatus
from workbench.ui.feed import RunFeed
from workbench.ui.overlay import MARKS, METRICS_OF_ONE, MOST, overlay
from workbench.ui.panes.train.looking import LookPane
from workbench.ui.panes.train.view import TrainView
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.table import VirtualTable

Shown = TypeVar("Shown", bound=TrainView)


class MarkPane(LookPane):
    """A pane with a list of runs and charts."""

    feed: RunFeed | None
    listed: list[tuple[Run, RunStatus]]
    marked: dict[Run, RunFeed]
    overlaid: int
    """Which metric of marked runs is drawn."""

    @property
    def overlaying(self) -> bool:
        """The charts show the marked runs, not the chosen one."""
        return len(self.marked) > 1

    def why_not_mark(self, name: str) -> str | None:
        """Why nothing can be marked or compared; None for other actions too."""
        if name == "mark":
            if self.feed is None:
                return "there is no run yet"
            if len(self.marked) == MOST and self.feed.run not in self.marked:
                return f"{MOST} runs are marked: more curves cannot be told apart"
        if name == "unmark" and not self.marked:
            return "no run is marked: space marks the one under the cursor"
        if name == "compare" and not self.overlaying:
            return "two runs have to be marked: space marks the one under the cursor"
        return None

    def mark_of(self, run: Run) -> str:
        """Its sign in the list; empty for none."""
        return MARKS[list(self.marked).index(run)] if run in self.marked else ""

    def do_mark(self) -> None:
        """Mark the chosen run, or no longer."""
        assert self.feed is not None
        if self.marked.pop(self.feed.run, None) is None:
            self.marked[self.feed.run] = self.feed
            if len(self.marked) == 1:
                self.workbench.say("marked: mark another one, and their curves are drawn together")
        self._marks_changed()

    def do_unmark(self) -> None:
        """None is marked any more."""
        self.marked.clear()
        self._marks_changed()

    def do_metric(self) -> None:
        """The next curve; of marked runs the next metric."""
        if not self.overlaying:
            super().do_metric()
            return
        self.overlaid += 1
        self._draw()

    async def _show(self, kind: type[Shown]) -> Shown:
        raise NotImplementedError

    async def do_compare(self) -> None:
        """The marked runs side by side."""
        from workbench.ui.panes.train.compare import CompareView

        view = await self._show(CompareView)
        view.compare(list(self.marked))

    def _forget_gone(self) -> None:
        """A run whose folder was taken away is not marked any more."""
        listed = {run for run, _ in self.listed}
        for run in [run for run in self.marked if run not in listed]:
            del self.marked[run]
        self.set_class(self.overlaying, "-overlay")

    def _marks_changed(self) -> None:
        self.set_class(self.overlaying, "-overlay")
        self.query_one("#runs", VirtualTable).refresh_rows()
        self._draw(answer=True)
        self.workbench.refresh_keys()

    def _draw_overlay(self, chart: Chart, shift: int, answer: bool) -> None:
        title, metric = METRICS_OF_ONE[(self.overlaid + shift) % len(METRICS_OF_ONE)]
        smoothed = f" ~{self.view.smoothing}" if self.view.smoothing > 1 else ""
        title += smoothed + self.view.over
        log_y = self.view.log_y and metric.endswith("loss")
        room = chart.size.width - len(title) - (len("  (log)") if log_y else 1)
        drawn = overlay(self.view, self.marked, metric, room)
        chart.set_curves(
            drawn,
            title=title,
            log_y=log_y,
            window=self.view.window(drawn),
            answer=answer,
        )
