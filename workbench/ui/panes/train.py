"""The train pane: the project's runs, the live curves of one of them, its numbers and its log."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.runs.events import Event
from workbench.runs.folder import Run, list_runs
from workbench.runs.status import RunStatus, State, read_status
from workbench.ui.actions import bindings
from workbench.ui.curve_view import CurveView
from workbench.ui.feed import RunFeed
from workbench.ui.panes.run_book import RunBook
from workbench.ui.panes.train_control import ControlPane
from workbench.ui.panes.train_samples import SampleView
from workbench.ui.run_figures import METRICS, SIGNS, figure, figures
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.log import LogTail
from workbench.ui.widgets.oom_card import OomCardView, plan_text
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.files.rows import Progress
    from workbench.project.store import OpenProject
    from workbench.prompts.survey.survey import Survey

POLL_SECONDS = 0.5
LIST_SECONDS = 2.0
VIEWS = ("log_axis", "axis", "smooth", "zoom_in", "zoom_out", "pan_left", "pan_right", "whole")
"""Actions that change how the curves are looked at."""


class TrainPane(ControlPane, RunBook):
    """Runs above, the chosen run's figures, curves and log below."""

    PLACE = "train"
    BINDINGS = bindings("train")

    def compose(self) -> ComposeResult:
        """The list, the figures, two charts (the second on tall screens), the log."""
        yield VirtualTable(
            [
                Column("", 1),
                Column("state", 8),
                Column("step", 12),
                Column("loss", 8),
                Column("validation", 10),
                Column("run", 1.0),
            ],
            self._cells,
            id="runs",
        )
        yield Static(id="figures")
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
        self._nothing = "Looking for runs…"
        self.metric = 0
        self.view = CurveView()
        self._kept: Run | None = None
        self._launching = False
        self._checked: float | None = None
        self.set_interval(POLL_SECONDS, self._tick)
        self.set_interval(LIST_SECONDS, self._list)

    def came_into_view(self) -> None:
        """Look for runs, and follow the newest unless one was chosen."""
        self.query_one("#runs").focus()
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
        self.feed = RunFeed(run)
        self.query_one(LogTail).follow(run.console)
        self._draw()
        self._tick()

    def _tick(self) -> None:
        if self.in_view and self.feed is not None:
            self._poll(self.feed)

    @work(thread=True, group="poll", exclusive=False, exit_on_error=False)
    def _poll(self, feed: RunFeed) -> None:
        worker = get_current_worker()
        if feed.busy.acquire(blocking=False):
            try:
                more = True
                while more and feed is self.feed and not worker.is_cancelled:
                    batch, status, more = feed.read()
                    if more or batch or status != feed.status:
                        self.app.call_from_thread(self._take, feed, batch, status)
                if feed is self.feed and not worker.is_cancelled and feed.judge():
                    self.app.call_from_thread(self._draw)
            finally:
                feed.busy.release()

    def _take(self, feed: RunFeed, batch: list[Event], status: RunStatus) -> None:
        feed.take(batch, status)
        if feed is self.feed:
            self._draw()
            self.workbench.refresh_keys()

    # Drawing

    def _cells(self, index: int) -> list[str | Text]:
        run, status = self.listed[index]
        steps = f"{status.step}/{status.total_steps or '?'}"
        return [
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
        self.query_one("#figures", Static).update(line)
        self.query_one(SampleView).show(feed.samples if feed else [])
        self.query_one(OomCardView).consider(feed.run if feed else None, feed.status if feed else None)
        for chart, shift in ((self.query_one("#chart", Chart), 0), (self.query_one("#second", Chart), 1)):
            title, wanted = METRICS[(self.metric + shift) % len(METRICS)]
            if feed is None:
                chart.set_curves([], title=title)
                continue
            drawn = self.view.curves(feed.series, wanted)
            window = self.view.window(drawn)
            over = "" if self.view.axis == "step" else f" by {self.view.axis}"
            chart.set_curves(
                drawn,
                title=title + over,
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
        status = self.feed.status if self.feed else None
        if name in ("start", "resume") and self._launching:
            return "a run is being started"
        if reason := self.why_not_command(name):
            return reason
        if name == "resume":
            if status is None:
                return "there is no run yet"
            if status.going:
                return "this run is going on"
            if status.state is State.FINISHED:
                return "this run is finished"
            if status.state is State.IMPORTED:
                return "this run was imported: it has no checkpoint to go on from"
        if name == "refit":
            if self._launching:
                return "a run is being started"
            card = self.query_one(OomCardView).card
            if card is None:
                return "this run did not end for want of memory"
            if not card.plan:
                return "no setting is known that would save enough memory"
        if name in ("metric", "console", "samples", *VIEWS, *self.READS) and self.feed is None:
            return "there is no run yet"
        if name in ("zoom_out", "pan_left", "pan_right", "whole") and self.view.width == 1.0:
            return "the whole run is in view: + shows a part of it"
        return None

    def do_start(self) -> None:
        """Ask once, with what will run, then start."""
        from workbench.ui.widgets.confirm import Confirm

        settings = self.workspace.project.settings
        training = settings.training
        length = (
            f"{training.max_steps} steps" if training.max_steps else f"{training.num_train_epochs:g} epochs"
        )
        about = [
            f"{training.method} of {settings.model.base}, {length}, learning rate {training.learning_rate:g}"
        ]
        if any(status.going for _, status in self.listed):
            about.append("a run of this project is going on already: both get slower")
        if losses := self.workbench.losses():
            about.append(f"without {'; '.join(losses)}")

        def answered(yes: bool | None) -> None:
            if yes:
                self._launch(None)

        self.app.push_screen(Confirm("Start a run in the background?", "\n".join(about)), answered)

    def do_resume(self) -> None:
        """Go on with the chosen run."""
        assert self.feed is not None
        self._launch(self.feed.run)

    def do_refit(self) -> None:
        """The changed run of the card; asks."""
        from workbench.runs.forecast.oom import changed_project
        from workbench.ui.widgets.confirm import Confirm

        card = self.query_one(OomCardView).card
        assert card is not None

        def answered(yes: bool | None) -> None:
            if yes:
                self._launch(None, changed_project(card))

        self.app.push_screen(Confirm("Start this run anew, with less memory?", plan_text(card)), answered)

    @on(OomCardView.Read)
    def _card_read(self) -> None:
        self.workbench.refresh_keys()

    def _launch(self, resume: Run | None, project: "OpenProject | None" = None) -> None:
        self._launching = True
        self.workbench.refresh_keys()
        self.workbench.say("starting…")
        self._start(resume, project or self.workspace.project)

    @work(thread=True, group="launch", exit_on_error=False)
    def _start(self, resume: Run | None, project: "OpenProject") -> None:
        """Fingerprints read every data file: never in the event loop."""
        from workbench.prompts.survey.survey_process import run_survey
        from workbench.runs.launch import start

        worker = get_current_worker()

        def look(project: "OpenProject", progress: "Progress | None") -> "Survey":
            return run_survey(project, progress, lambda: worker.is_cancelled)

        def progress(done: float) -> None:
            self.app.call_from_thread(self._check_goes_on, done)

        try:
            run = start(project, resume=resume, progress=progress, look=look)
        except WorkbenchError as error:
            self.app.call_from_thread(self._refused, error)
        else:
            self.app.call_from_thread(self._started, run)
        finally:
            self._launching, self._checked = False, None

    def _check_goes_on(self, done: float) -> None:
        self._checked = done
        self._draw()

    def _refused(self, error: WorkbenchError) -> None:
        self._checked = None
        self._draw()
        self.workbench.tell(error)

    def _started(self, run: Run) -> None:
        self._checked = None
        self._kept = run if run in [each for each, _ in self.listed[1:]] else None
        self._list()
        self.workbench.look_at_runs()

    def do_metric(self) -> None:
        """The next curve."""
        self.metric = (self.metric + 1) % len(METRICS)
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
