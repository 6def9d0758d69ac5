"""The train pane: the project's runs, the live curves of one or some of them, its numbers and its log."""

from pathlib import Path
from typing import TypeVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Static
from textual.worker import get_current_worker

from workbench.runs.events import Event
from workbench.runs.folder import Run, list_runs
from workbench.runs.status import RunStatus, read_status
from workbench.ui.actions import bindings
from workbench.ui.curve_view import CurveView
from workbench.ui.feed import RunFeed
from workbench.ui.panes.train.book import RunBook
from workbench.ui.panes.train.control import ControlPane
from workbench.ui.panes.train.exporting import ExportPane
from workbench.ui.panes.train.gauges import GaugeLine
from workbench.ui.panes.train.looking import VIEWS
from workbench.ui.panes.train.marking import MarkPane
from workbench.ui.panes.train.samples import SampleView
from workbench.ui.panes.train.starting import StartPane
from workbench.ui.panes.train.view import TrainView
from workbench.ui.run_figures import METRICS, SIGNS, figure, figures
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.log import LogTail
from workbench.ui.widgets.oom_card import OomCardView
from workbench.ui.widgets.table import Column, VirtualTable

POLL_SECONDS = 0.5
LIST_SECONDS = 2.0
RUNS = "at-runs"
"""Id of what is shown while no other view is."""

Shown = TypeVar("Shown", bound=TrainView)


class TrainPane(StartPane, ControlPane, MarkPane, ExportPane, RunBook):
    """Runs above, the chosen run's figures, curves and log below; or one of its views."""

    PLACE = "train"
    BINDINGS = bindings("train")

    def compose(self) -> ComposeResult:
        """The list, the figures, two charts (the second on tall screens), the log; views come when shown."""
        columns = [
            Column("", 1),
            Column("", 1),
            Column("state", 8),
            Column("step", 12),
            Column("loss", 8),
            Column("validation", 10),
            Column("run", 1.0),
        ]
        with ContentSwitcher(id="train-views", initial=RUNS), Vertical(id=RUNS):
            yield VirtualTable(columns, self._cells, id="runs")
            yield Static(id="figures")
            yield GaugeLine(id="gauges")
            yield OomCardView(id="oom")
            with Vertical(id="charts"):
                yield Chart(id="chart")
                yield Chart(id="second")
            yield SampleView(id="answers")
            yield LogTail(id="console")

    def on_mount(self) -> None:
        """Polling goes on only while the pane is in view."""
        self.listed: list[tuple[Run, RunStatus]] = []
        self.feed: RunFeed | None = None
        self.marked: dict[Run, RunFeed] = {}
        self._nothing = "Looking for runs…"
        self.metric = self.overlaid = 0
        self.view = CurveView()
        self._kept: Run | None = None
        self.set_interval(POLL_SECONDS, self._tick)
        self.set_interval(LIST_SECONDS, self._list)

    def came_into_view(self) -> None:
        """Look for runs, and follow the newest unless one was chosen."""
        if self.shown_view is None:
            self.query_one("#runs").focus()
        else:
            self.shown_view.came_into_view()
        self._list()

    # Views

    @property
    def shown_view(self) -> TrainView | None:
        """What takes the place of the runs just now."""
        current = self.query_one("#train-views", ContentSwitcher).visible_content
        return current if isinstance(current, TrainView) else None

    @property
    def places(self) -> dict[str, str]:
        """A view has keys of its own, and none of the runs."""
        view = self.shown_view
        return {f"train.{view.NAME}": f"Train: {view.NAME}"} if view else super().places

    async def action_do(self, name: str) -> None:
        """What the palette chooses may be an action of the view."""
        view = self.shown_view
        await (view.action_do(name) if view and hasattr(view, f"do_{name}") else super().action_do(name))

    async def _show(self, kind: type[Shown]) -> Shown:
        """Bring a view into sight; made at its first showing."""
        switcher = self.query_one("#train-views", ContentSwitcher)
        if not switcher.query(kind):
            await switcher.add_content(kind(id=f"train-{kind.NAME}"))
        switcher.current = f"train-{kind.NAME}"
        view = switcher.query_one(kind)
        view.came_into_view()
        self.workbench.refresh_keys()
        return view

    def show_runs(self) -> None:
        """Away with the view."""
        self.query_one("#train-views", ContentSwitcher).current = RUNS
        self.query_one("#runs").focus()
        self._draw(answer=True)
        self.workbench.refresh_keys()

    async def do_queue(self) -> None:
        """Runs that wait, and the newest sweep."""
        from workbench.ui.panes.train.queue import QueueView

        await self._show(QueueView)

    def choose(self, run: Run) -> None:
        """Bring a run under the cursor, as soon as it is listed."""
        self._kept = run if run in [each for each, _ in self.listed[1:]] else None
        self._list()

    # Reading

    def _list(self) -> None:
        if self.in_view:
            self._read_list(self.workspace.project.folder)

    @work(thread=True, group="list", exclusive=True, exit_on_error=False)
    def _read_list(self, folder: Path) -> None:
        """The first look at a long log takes a while: never in the event loop."""
        worker = get_current_worker()
        listed = [(run, read_status(run)) for run in list_runs(folder)]
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_list, listed)

    def _show_list(self, listed: list[tuple[Run, RunStatus]]) -> None:
        self.listed = listed
        self._forget_gone()
        self._nothing = "No run yet: t trains with the settings of 3 Setup"
        table = self.query_one("#runs", VirtualTable)
        table.set_row_count(len(self.listed))
        # As high as its runs: what is left over belongs to the curves
        table.styles.height = 1 + max(1, len(self.listed))
        table.refresh_rows()
        # A new run shifts the others: the cursor goes with the chosen one, else with the newest
        runs = [run for run, _ in self.listed]
        table.move_to(runs.index(self._kept) if self._kept in runs else 0)
        if runs:
            self._follow(runs[table.cursor])
        else:
            self.feed = None
            self._draw()
        self.workbench.refresh_keys()

    def _follow(self, run: Run) -> None:
        if self.feed is not None and self.feed.run == run:
            return
        self.feed = self.marked.get(run) or RunFeed(run)
        self.query_one(GaugeLine).follow(run)
        self.query_one(LogTail).follow(run.console)
        self._draw()
        self._tick()

    def _tick(self) -> None:
        if self.in_view:
            for feed in self._followed():
                self._poll(feed)

    def _followed(self) -> list[RunFeed]:
        """The feeds of the chosen run and of the marked ones."""
        chosen = [self.feed] if self.feed else []
        return chosen + [feed for feed in self.marked.values() if feed is not self.feed]

    @work(thread=True, group="poll", exclusive=False, exit_on_error=False)
    def _poll(self, feed: RunFeed) -> None:
        worker = get_current_worker()
        if feed.busy.acquire(blocking=False):
            try:
                more = True
                while more and feed in self._followed() and not worker.is_cancelled:
                    batch, status, more = feed.read()
                    if more or batch or status != feed.status:
                        self.app.call_from_thread(self._take, feed, batch, status)
                if feed in self._followed() and not worker.is_cancelled and feed.judge():
                    self.app.call_from_thread(self._draw)
            finally:
                feed.busy.release()

    def _take(self, feed: RunFeed, batch: list[Event], status: RunStatus) -> None:
        ended = feed.status.going and not status.going
        feed.take(batch, status)
        if ended:
            self.workbench.look_at_runs()
        if feed in self._followed():
            self._draw()
            self.workbench.refresh_keys()

    # Drawing

    def _cells(self, index: int) -> list[str | Text]:
        run, status = self.listed[index]
        steps = f"{status.step}/{status.total_steps or '?'}"
        return [
            self.mark_of(run),
            SIGNS[status.state],
            status.state.value,
            steps,
            figure(status.loss),
            figure(status.validation_loss),
            run.id,
        ]

    def _draw(self, answer: bool = False) -> None:
        """Show what is known; an `answer` to a key does not wait for the chart's next second."""
        feed = self.feed
        line = figures(feed) if feed else Text(self._nothing)
        if self._checked is not None:
            line = Text(f"Looking at all rows before the start: {self._checked:.0%}")
        if self.doing:
            line = Text.assemble((f"Exporting: {self.doing}\n", "bold"), line)
        self.query_one("#figures", Static).update(line)
        self.query_one(SampleView).show(feed.samples if feed else [])
        self.query_one(OomCardView).consider(feed.run if feed else None, feed.status if feed else None)
        for chart, shift in ((self.query_one("#chart", Chart), 0), (self.query_one("#second", Chart), 1)):
            if self.overlaying:
                self._draw_overlay(chart, shift, answer)
                continue
            title, wanted = METRICS[(self.metric + shift) % len(METRICS)]
            if feed is None:
                chart.set_curves([], title=title)
                continue
            drawn = self.view.curves(feed.series, wanted)
            window = self.view.window(drawn)
            chart.set_curves(
                drawn,
                title=title + self.view.over,
                log_y=self.view.log_y and title == "loss",
                window=window,
                marks=self.view.marks(feed.series, window),
                answer=answer,
            )

    @on(VirtualTable.Highlighted, "#runs")
    def _chosen(self, event: VirtualTable.Highlighted) -> None:
        if event.row < len(self.listed):
            run = self.listed[event.row][0]
            self._kept = run if event.row else None
            self._follow(run)
            self.workbench.refresh_keys()

    # Actions

    def why_not(self, name: str) -> str | None:
        """Commands need a run that is going; resuming needs one that is not."""
        view = self.shown_view
        if view is not None:
            return view.why_not(name) if hasattr(view, f"do_{name}") else "esc shows the runs again"
        reasons = (self.why_not_start, self.why_not_command, self.why_not_mark, self.why_not_export)
        for reason in (why_not(name) for why_not in reasons):
            if reason:
                return reason
        if name in ("metric", "console", "samples", *VIEWS, *self.READS) and self.feed is None:
            return "there is no run yet"
        if name in ("zoom_out", "pan_left", "pan_right", "whole") and self.view.width == 1.0:
            return "the whole run is in view: + shows a part of it"
        return None

    def do_console(self) -> None:
        """The log instead of the charts, on a short screen; beside them it is always there on a tall one."""
        self.remove_class("-samples")
        self.toggle_class("-console")
        self.query_one("#console" if self.has_class("-console") else "#runs").focus()

    def do_samples(self) -> None:
        """The answers that it gave instead of the charts."""
        self.remove_class("-console")
        self.toggle_class("-samples")
        self.query_one("#samples" if self.has_class("-samples") else "#runs").focus()
