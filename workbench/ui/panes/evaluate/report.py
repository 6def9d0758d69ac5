"""The report, to be read here: of the project, of a run, or of a sweep."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import EvaluateView
from workbench.ui.text import clean_lines, shown

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.reports.document import Document

Subject = tuple[str, "Callable[[], Document]"]


class ReportView(EvaluateView):
    """One scrolling text."""

    NAME = "report"
    BINDINGS = bindings("evaluate.report")

    def compose(self) -> ComposeResult:
        """What it is about, and the report."""
        yield Static(id="report-said")
        with VerticalScroll():
            yield Static(id="report")

    def on_mount(self) -> None:
        """It is made when it is looked at."""
        self.subject = 0
        self.document: Document | None = None

    def came_into_view(self) -> None:
        """Logs may have grown."""
        self.query_one(VerticalScroll).focus()
        self._make()

    def fill(self) -> None:
        """It is made when it comes into view, and when another subject is chosen: not with each new row."""

    def _make(self) -> None:
        self.document = None
        self.tell("#report-said", "Reading the logs…")
        self._read(self.workspace.project, self.subject)

    @work(thread=True, exclusive=True, group="report", exit_on_error=False)
    def _read(self, project: "OpenProject", number: int) -> None:
        """Logs are read whole: never in the event loop."""
        worker, document = get_current_worker(), None
        from workbench.ui.report_text import as_text

        found = subjects(project)
        number %= len(found)
        name, make = found[number]
        try:
            document = make()
            text: RenderableType = as_text(document)
        except WorkbenchError as error:
            text = shown(f"✗ {error}", "bold")
        if not worker.is_cancelled:
            said = f"{name}   {number + 1} of {len(found)}: ← →   w writes it as Markdown and HTML"
            self.app.call_from_thread(self._show, number, said, document, text)

    def _show(self, number: int, said: str, document: "Document | None", text: RenderableType) -> None:
        self.subject, self.document = number, document
        self.tell("#report-said", shown(said))
        self.query_one("#report", Static).update(text)
        self.workbench.refresh_keys()

    # Actions

    def why_not(self, name: str) -> str | None:
        """A report is written when it is made."""
        return "the logs are being read" if name == "write" and self.document is None else None

    def do_next_subject(self) -> None:
        """The next run, or sweep."""
        self._step(1)

    def do_previous_subject(self) -> None:
        """The one before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        self.subject += by
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._make()

    def do_write(self) -> None:
        """Write it beside the project's other reports; asks before one is written over."""
        from workbench.reports.writing import FOLDER
        from workbench.ui.widgets.confirm import Confirm

        assert self.document is not None
        document, folder = self.document, self.workspace.project.folder / FOLDER
        if not (folder / f"{document.name}.html").exists():
            self._write(document, replace=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(document, replace=True)

        question = f"Write {document.name} over the earlier report?"
        self.app.push_screen(Confirm(question, f"It is in {folder}."), answered)

    def _write(self, document: "Document", *, replace: bool) -> None:
        from workbench.reports.writing import FOLDER, write_report

        with self.telling():
            folder = self.workspace.project.folder / FOLDER
            markdown, page, *_ = write_report(document, folder, clean=clean_lines, replace=replace)
            self.workbench.say(f"written: {page} and {markdown.name}")


def subjects(project: "OpenProject") -> "Sequence[Subject]":
    """What a report can be about: the project, its runs, its sweeps, the newest first."""
    from functools import partial

    from workbench.reports.project import project_report
    from workbench.reports.run import run_report
    from workbench.reports.sweep import sweep_report
    from workbench.runs.folder import list_runs
    from workbench.runs.queue.entries import Queue
    from workbench.runs.sweep.store import list_sweeps

    queue = Queue(project.folder)
    return [
        (f"project {project.name}", partial(project_report, project)),
        *((f"run {run.id}", partial(run_report, run)) for run in list_runs(project.folder)),
        *((f"sweep {sweep.id}", partial(sweep_report, queue, sweep)) for sweep in list_sweeps(queue)),
    ]
