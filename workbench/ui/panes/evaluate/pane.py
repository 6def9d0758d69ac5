"""The evaluate pane's frame: the project's evaluations, the chosen one as it grows, and its views."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.widgets import ContentSwitcher, Static
from textual.worker import get_current_worker

from workbench.evaluation import jobs
from workbench.evaluation.status import EvaluationStatus, read_status
from workbench.runs.status import State
from workbench.ui.actions import actions, bindings
from workbench.ui.panes.evaluate.ladder import LadderView
from workbench.ui.panes.evaluate.seen import Reader, Seen
from workbench.ui.panes.evaluate.view import EvaluateView
from workbench.ui.panes.viewed import ViewedPane
from workbench.ui.run_figures import SIGNS, clock
from workbench.ui.text import clean, shown
from workbench.ui.widgets.view_line import ViewLine

if TYPE_CHECKING:
    from workbench.evaluation.folder import Evaluation
    from workbench.evaluation.jobs import Listed
    from workbench.evaluation.plan import Plan

VIEWS = {
    "ladder": "Ladder",
    "rows": "Rows",
    "beside": "Beside",
    "labels": "Labels",
    "checks": "Checks",
    "grid": "Decoding",
    "report": "Report",
}
POLL_SECONDS = 1.0
REST = 3.0
"""Long files are not read without a break: so many times as long as the last reading took."""
NONE_YET = "No evaluation yet: t holds the base model against the checkpoints of the newest run"


class EvaluatePane(ViewedPane):
    """A line with the views, a line about the chosen evaluation, and one of the views below."""

    PLACE = "evaluate"
    VIEWS = VIEWS
    BINDINGS = bindings("evaluate")

    def compose(self) -> ComposeResult:
        """The ladder; other views are made when they are first shown."""
        keys = {action.name.removeprefix("show_"): action.key for action in actions("evaluate")}
        yield ViewLine([(name, keys[name], title) for name, title in VIEWS.items()], current="ladder")
        yield Static(id="evaluation")
        with ContentSwitcher(id="views", initial="ladder"):
            yield LadderView(id="ladder")

    def on_mount(self) -> None:
        """Nothing is read yet: the pane reads while it is in view."""
        self.listed: list[tuple[Listed, EvaluationStatus]] = []
        self.seen: Seen | None = None
        self.model = 0
        self.nothing = "Looking for evaluations…"
        self._chosen: Evaluation | None = None
        self._reader: Reader | None = None
        self._read_for: object = None
        self._starting = False
        self._rests_until = 0.0
        self.set_interval(POLL_SECONDS, self._tick)

    def came_into_view(self) -> None:
        """Look what there is."""
        if self._read_for != self.workspace.project.folder:
            self._read_for = self.workspace.project.folder
            self.seen, self._chosen, self._reader, self.model = None, None, None, 0
        self.view.came_into_view()
        self.read()

    # Reading

    def _tick(self) -> None:
        """While something goes on, and somebody looks."""
        rested = time.monotonic() > self._rests_until
        if rested and self.in_view and self.seen is not None and self.seen.going:
            self.read()

    def read(self) -> None:
        """Look at the evaluations in a thread, and at the chosen one: the newest unless one was chosen."""
        self._read(self.workspace.project.folder, self._chosen, self._reader)

    @work(thread=True, group="read", exclusive=True, exit_on_error=False)
    def _read(self, folder: Path, chosen: "Evaluation | None", reader: Reader | None) -> None:
        worker, begun = get_current_worker(), time.monotonic()
        found = jobs.list_evaluations(folder)
        wanted = next((each for each in found if each.evaluation == chosen), found[0] if found else None)
        if wanted is None:
            reader = None
        elif reader is None or reader.evaluation != wanted.evaluation:
            reader = Reader(wanted.evaluation)
        seen = reader.look() if reader else None
        if (took := time.monotonic() - begun) > POLL_SECONDS:
            self._rests_until = begun + took + REST * took
        listed = [(each, read_status(each.evaluation)) for each in found]
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, listed, reader, seen)

    def _take(
        self, listed: "list[tuple[Listed, EvaluationStatus]]", reader: Reader | None, seen: Seen | None
    ) -> None:
        if not self.is_attached:  # the app closes
            return
        other = self.seen is None or seen is None or self.seen.evaluation != seen.evaluation
        ended = not other and self.seen is not None and self.seen.status.going and not seen.status.going  # type: ignore[union-attr]
        self.listed, self._reader, self.seen, self.nothing = listed, reader, seen, NONE_YET
        if other:
            self.model = 0
        self._say()
        for view in self.query(EvaluateView):
            if view.is_mounted and (view is self.view or other):
                view.fill()
        self.workbench.refresh_keys()
        if ended:
            assert seen is not None
            self.workbench.say(f"evaluation {seen.evaluation.id}: {seen.status.state.value}")

    def choose(self, evaluation: "Evaluation") -> None:
        """Look at this evaluation from now on."""
        newest = self.listed[0][0].evaluation if self.listed else None
        self._chosen = None if evaluation == newest else evaluation
        if self.seen is None or self.seen.evaluation != evaluation:
            self.read()

    def choose_model(self, number: int) -> None:
        """Look at this contestant from now on."""
        self.model = number

    def step_model(self, by: int) -> None:
        """The contestant before or after, in the views that show one."""
        assert self.seen is not None
        self.model = (self.model + by) % len(self.seen.contents.plan.contestants)
        self.view.fill()
        self.workbench.refresh_keys()

    def _say(self) -> None:
        line, seen = self.query_one(ViewLine), self.seen
        line.doing = ""
        if seen is None:
            self.query_one("#evaluation", Static).update(shown(self.nothing))
            return
        status = seen.status
        state = "✗ cannot be read" if seen.problem else f"{SIGNS[status.state]} {status.state.value}"
        text = Text.assemble((state, "bold"), "  ")
        text.append_text(shown(seen.evaluation.id))
        if status.going:
            line.doing = progress(seen)
        elif status.reason:
            text.append_text(shown(f"  {status.reason}", "bold"))
        if status.state in (State.STOPPED, State.KILLED, State.FAILED):
            text.append("  r resumes it")
        if status.device:
            text.append_text(shown(f"  {status.device}"))
        remarks = self.remarks()
        if remarks:
            # One line is enough: y shows all of them
            more = f" (+{len(remarks) - 1})" if len(remarks) > 1 else ""
            remark = shown(f"! {clean(remarks[0])}", "bold")
            remark.truncate(max(10, self.app.size.width - len(more) - 6), overflow="ellipsis")
            text.append("\n").append_text(remark).append(f"{more}  y", "bold")
        self.query_one("#evaluation", Static).update(text)

    def remarks(self) -> list[str]:
        """What a reader of the figures has to know: contestants that are left out, and warnings."""
        if self.seen is None:
            return []
        status, known, table = self.seen.status, self.seen.known, self.seen.table
        names = [contestant.name for contestant in known.plan.contestants] if known else []
        left_out = [
            f"{names[number] if number < len(names) else number} is left out: {reason}"
            for number, reason in status.skipped.items()
        ]
        return [*left_out, *status.warnings, *(table.remarks if table else ())]

    # Views

    @property
    def view(self) -> EvaluateView:
        """The one in view."""
        return self.query_one(f"#{self.current}", EvaluateView)

    @property
    def places(self) -> dict[str, str]:
        """Actions of the view in sight come first."""
        name = self.current
        return {f"evaluate.{name}": f"Evaluate: {VIEWS[name]}", "evaluate": "All views of an evaluation"}

    # Actions

    def why_not(self, name: str) -> str | None:
        """Most need an evaluation."""
        if name == "start" and self._starting:
            return "an evaluation is being started"
        if name in ("stop", "note", "warnings") and self.seen is None:
            return "there is no evaluation yet: t starts one"
        if name == "stop" and self.seen is not None and not self.seen.status.going:
            return f"this evaluation is not going on: it is {self.seen.status.state.value}"
        if name == "warnings" and not self.remarks():
            return "there is nothing that has to be known of these figures"
        return super().why_not(name)

    def do_start(self) -> None:
        """Ask what shall be compared, then start."""
        from workbench.ui.panes.evaluate.starting import EvaluateDialog
        from workbench.ui.panes.train import TrainPane

        marked = [run for pane in self.app.query(TrainPane) for run in pane.marked]

        def planned(plan: "Plan | None") -> None:
            if plan is not None:
                self._starting = True
                self.workbench.say("starting…")
                self._start(plan)

        self.app.push_screen(EvaluateDialog(self.workspace.project, marked), planned)

    @work(thread=True, group="start", exit_on_error=False)
    def _start(self, plan: "Plan") -> None:
        """The GPU is asked for room: never in the event loop."""
        try:
            evaluation = jobs.start(self.workspace.project, plan)
        finally:
            self._starting = False
        self.app.call_from_thread(self._started, evaluation)

    def _started(self, evaluation: "Evaluation") -> None:
        self._chosen = None
        self.workbench.say(f"{evaluation.id} goes on in the background, also when this screen is closed")
        self.read()

    def do_stop(self) -> None:
        """End it after the batch that it is at."""
        assert self.seen is not None
        jobs.stop(self.seen.evaluation)
        self.workbench.say("stops after this batch; what is measured stays")

    def do_note(self) -> None:
        """Show the notes on the evaluation, and add a paragraph."""
        from workbench.runs.notes import add_note, read_notes
        from workbench.ui.widgets.note import NoteDialog

        assert self.seen is not None
        evaluation = self.seen.evaluation

        def written(text: str | None) -> None:
            if text:
                with self.telling():
                    add_note(evaluation, text)
                    self.workbench.say("added to notes.md of the evaluation")

        self.app.push_screen(NoteDialog(evaluation.id, read_notes(evaluation)), written)

    def do_warnings(self) -> None:
        """All remarks."""
        from workbench.ui.widgets.reading import Reading

        self.app.push_screen(Reading("What has to be known of these figures", self.remarks()))

    async def do_show_ladder(self) -> None:
        """Evaluations and the table of their contestants."""
        await self.show("ladder")

    async def do_show_rows(self) -> None:
        """Row by row."""
        await self.show("rows")

    async def do_show_beside(self) -> None:
        """Answers side by side."""
        await self.show("beside")

    async def do_show_labels(self) -> None:
        """Labels of the answers."""
        await self.show("labels")

    async def do_show_checks(self) -> None:
        """What is wrong with answers."""
        await self.show("checks")

    async def do_show_grid(self) -> None:
        """Settings of the decoding."""
        await self.show("grid")

    async def do_show_report(self) -> None:
        """The report."""
        await self.show("report")


def progress(seen: Seen) -> str:
    """What it is at, how far it is, and how long it takes, such as `answers 43% 1:20 left`."""
    status = seen.status
    share = f" {status.done / status.total:.0%}" if status.total else ""
    left = "" if status.eta_seconds is None else f" {clock(status.eta_seconds)} left"
    return f"{status.phase or 'starting'}{share}{left}"
