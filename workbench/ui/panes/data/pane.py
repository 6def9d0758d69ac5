"""The data pane's frame: its views, what is read for them, and who may show what."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.widgets import ContentSwitcher
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.actions import actions, bindings
from workbench.ui.panes.data.view import DataView
from workbench.ui.panes.viewed import ViewedPane
from workbench.ui.widgets.view_line import ViewLine

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.ui.panes.data.rows import RowsView
    from workbench.ui.workspace import Workspace

VIEWS = {
    "rows": "Rows",
    "sources": "Sources",
    "cleaning": "Cleaning",
    "augment": "Augment",
    "balance": "Balance",
    "statistics": "Statistics",
    "checks": "Checks",
}
PROGRESS_SECONDS = 0.25


@dataclass(frozen=True)
class Listing:
    """Some rows to look at one by one.

    Attributes:
        title: what they have in common.
        rows: each as (source, row).
    """

    title: str
    rows: Sequence[tuple[int, int]]


class DataPane(ViewedPane):
    """A line with the views, and one of them below."""

    PLACE = "data"
    VIEWS = VIEWS
    BINDINGS = bindings("data")

    def compose(self) -> ComposeResult:
        """The rows; other views are made when they are first shown."""
        from workbench.ui.panes.data.rows import RowsView

        keys = {action.name.removeprefix("show_"): action.key for action in actions("data")}
        yield ViewLine([(name, keys[name], title) for name, title in VIEWS.items()], current="rows")
        with ContentSwitcher(id="views", initial="rows"):
            yield RowsView(id="rows")

    def on_mount(self) -> None:
        """Nothing is read yet: the pane reads when it comes into view."""
        self.survey_error = ""
        self._read_for: object = None
        self._surveyed_for: object = None
        self._progress = self.set_interval(PROGRESS_SECONDS, self._say_progress, pause=True)

    def came_into_view(self) -> None:
        """Read the project's rows, unless they have been read."""
        if self._read_for is not self.workspace:
            self._read_for, self.survey_error = self.workspace, ""
            self._read(self.workspace)
            for view in self.views:  # nothing may be shown by the settings of another project
                view.fill()
        self.view.came_into_view()
        if self.view.NEEDS_SURVEY:
            self.ask_survey()

    # Views

    @property
    def views(self) -> list[DataView]:
        """Those that have been shown; one that is just being made is filled when it is there."""
        return [view for view in self.query(DataView) if view.is_mounted]

    @property
    def view(self) -> DataView:
        """The one in view."""
        return self.query_one(f"#{self.current}", DataView)

    async def show(self, name: str) -> DataView:
        """Bring a view into sight; what only the survey tells is asked for."""
        await super().show(name)
        if self.view.NEEDS_SURVEY:
            self.ask_survey()
        return self.view

    async def show_listing(self, listing: "Listing") -> None:
        """The rows view with these rows only."""
        view: RowsView = await self.show("rows")  # type: ignore[assignment]
        view.show_listing(listing)

    @property
    def places(self) -> dict[str, str]:
        """Actions of the view in sight come first."""
        name = self.current
        return {f"data.{name}": f"Data: {VIEWS[name]}", "data": "All views of the data"}

    # Reading, in worker threads

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _read(self, workspace: "Workspace") -> None:
        import numpy  # noqa: F401 - marks of rows need it, and importing takes a tenth of a second

        worker = get_current_worker()
        workspace.dataset()
        if worker.is_cancelled:
            return
        self.app.call_from_thread(self._news)
        if not workspace.selection(lambda: worker.is_cancelled):
            return
        self.app.call_from_thread(self._news)
        with suppress(
            WorkbenchError
        ):  # what is wrong with model or template is said when a survey is asked for
            if workspace.kept_survey() and not worker.is_cancelled:
                self.app.call_from_thread(self._news)

    def ask_survey(self) -> None:
        """Begin the survey of all rows, once for a project as it is."""
        if self._surveyed_for is not self.workspace:
            self._surveyed_for = self.workspace
            self._progress.resume()
            self._survey(self.workspace)

    @work(thread=True, exclusive=True, group="survey", exit_on_error=False)
    def _survey(self, workspace: "Workspace") -> None:
        worker = get_current_worker()
        error = ""
        try:
            workspace.survey(lambda: worker.is_cancelled)
        except WorkbenchError as fault:
            error = str(fault)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._survey_ended, error)

    def _survey_ended(self, error: str) -> None:
        self.survey_error = error
        self._news()

    def _news(self) -> None:
        """More is known than before."""
        if not self.is_attached:  # the app closes
            return
        self._progress.resume()
        for view in self.views:
            view.fill()
        self.workbench.refresh_keys()

    def _say_progress(self) -> None:
        line, workspace = self.query_one(ViewLine), self.workspace
        surveying = self._surveyed_for is workspace and not workspace.surveyed and not self.survey_error
        if not workspace.selected:
            line.doing = f"counting {workspace.counted:.0%}"
        elif surveying:
            line.doing = f"checking {workspace.checked:.0%}"
            if self.view.NEEDS_SURVEY:
                self.view.fill()
        else:
            line.doing = ""
            self._progress.pause()

    # Actions

    async def do_show_rows(self) -> None:
        """Every row, and what becomes of it."""
        await self.show("rows")

    async def do_show_sources(self) -> None:
        """What became of each source."""
        await self.show("sources")

    async def do_show_cleaning(self) -> None:
        """Rules, and what they do to rows."""
        await self.show("cleaning")

    async def do_show_augment(self) -> None:
        """Rows made from rows."""
        await self.show("augment")

    async def do_show_statistics(self) -> None:
        """Lengths, what is trained, padding."""
        await self.show("statistics")

    async def do_show_checks(self) -> None:
        """What is wrong with the data."""
        await self.show("checks")

    async def do_show_balance(self) -> None:
        """Tags by side."""
        await self.show("balance")

    def do_add_source(self) -> None:
        """Ask for a file, propose what it is, write it."""
        from workbench.ui.panes.data.add import AddSource

        def added(saved: "OpenProject | None") -> None:
            if saved is not None:
                self.workspace.row = (len(saved.settings.data.source) - 1, 0)
                self.change_project(saved)
                self.workbench.say(f"added to {saved.file}")

        self.app.push_screen(AddSource(self.workspace.project), added)

    def change_project(self, saved: "OpenProject") -> None:
        """The project was saved: everything is read again."""
        self.workbench.project_changed(saved)
        self.came_into_view()
