"""The data pane: every row of a source, what it becomes, and which rows are not trained on and why."""

import json
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.data.example import Example, Origin, Rejected
from workbench.data.rows import RowError
from workbench.errors import WorkbenchError
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import clean, clean_lines, shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset
    from workbench.data.report import SourceReport
    from workbench.ui.workspace import Workspace

CELL_CHARACTERS = 400
"""More than any cell can show; a row of a megabyte is not cleaned whole for its first line."""
DETAIL_CHARACTERS = 20_000
GROWTH_SECONDS = 0.25
WRAP_CELLS = 12
"""What breaking between words may leave empty at the end of a line."""


class DataPane(Pane):
    """Rows above, the selected row below; beside it on a wide screen."""

    PLACE = "data"
    BINDINGS = bindings("data")

    def compose(self) -> ComposeResult:
        """A line of counts, the table, the row's detail."""
        yield Static("opening…", id="counts")
        with Container(id="rows"):
            yield VirtualTable(
                [Column("row", 8), Column("", 1), Column("user", 0.45), Column("assistant", 0.55)],
                self._cells,
                id="table",
            )
            with VerticalScroll(id="detail", can_focus=False):
                yield Static(id="row")

    def on_mount(self) -> None:
        """Nothing is read yet: the pane reads when it comes into view."""
        self.dataset: Dataset | None = None
        self.reports: list[SourceReport] = []
        self.source = 0
        self.raw = False
        self._read_for: object = None
        self._growth = self.set_interval(GROWTH_SECONDS, self._follow_growth, pause=True)

    def came_into_view(self) -> None:
        """Read the project's rows, unless they have been read."""
        self.query_one(VirtualTable).focus()
        if self._read_for is not self.workspace:
            self._read_for = self.workspace
            self.reports = []
            self._open(self.workspace)
        else:
            self.query_one(VirtualTable).move_to(self.workspace.row[1])

    # Reading, in worker threads

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _open(self, workspace: "Workspace") -> None:
        worker = get_current_worker()
        dataset = workspace.dataset()
        if worker.is_cancelled:
            return
        self.app.call_from_thread(self._show_source, dataset)
        reports = dataset.report(cancelled=lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_counts, reports)

    def _show_source(self, dataset: "Dataset") -> None:
        table = self.query_one(VirtualTable)
        table.set_row_count(0)
        self.dataset = dataset if dataset.sources else None
        self.query_one("#row", Static).update("")
        if self.dataset is None:
            self._say_counts(
                Text("no [[data.source]] in project.toml yet: workbench new makes a project from a data file")
            )
            return
        source, row = self.workspace.row
        self.source = min(source, len(dataset.sources) - 1)
        state = dataset.sources[self.source]
        if state.error:
            self._say_counts(self._which().append_text(shown(f"! {state.error}", "bold")))
            return
        self._say_counts(self._which().append_text(shown(f"{state.path.name}  counting…", "bold")))
        self._growth.resume()
        self._follow_growth()
        table.refresh_rows()
        table.move_to(row)
        self._show_row(table.cursor)
        if self.reports:
            self._show_counts(self.reports)

    def _follow_growth(self) -> None:
        """An index that is still being built shows the rows known so far."""
        if self.dataset is None:
            return
        state = self.dataset.sources[self.source]
        table = self.query_one(VirtualTable)
        first = table.row_count == 0
        table.set_row_count(state.known_rows)
        if first:
            self._show_row(table.cursor)
        if state.complete:
            self._growth.pause()

    def _which(self) -> Text:
        """Which source of how many, where there are several."""
        count = len(self.dataset.sources) if self.dataset else 0
        return Text(f"source {self.source + 1} of {count}  " if count > 1 else "")

    def _made(self, row: int) -> Example | Rejected:
        """What a row becomes; a file that went away meanwhile rejects it."""
        assert self.dataset is not None
        try:
            return self.dataset.example(self.source, row)
        except WorkbenchError as error:
            return Rejected(Origin(self.source, row), "cannot be read", str(error))

    # What is shown

    def _cells(self, row: int) -> list[str | Text]:
        made = self._made(row)
        if isinstance(made, Rejected):
            return [str(row), "✗", shown(made.reason, "bold"), shown(made.detail[:CELL_CHARACTERS], "dim")]
        user = next((message.content for message in made.messages if message.role == "user"), "")
        assistant = next((message.content for message in made.messages if message.role == "assistant"), "")
        return [str(row), "", clean(user[:CELL_CHARACTERS]), clean(assistant[:CELL_CHARACTERS])]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        self._show_row(event.row)

    def _show_row(self, row: int) -> None:
        if self.dataset is None or row >= self.dataset.sources[self.source].known_rows:
            return
        self.workspace.row = (self.source, row)
        self.query_one("#row", Static).update(self._detail(row))
        self.query_one("#detail").scroll_home(animate=False)

    def _detail(self, row: int) -> Text:
        made = self._made(row)
        text = Text()
        if isinstance(made, Rejected):
            why = f"{made.reason}: {made.detail[:DETAIL_CHARACTERS]}" if made.detail else made.reason
            text.append_text(Text.assemble(("✗ rejected: ", "bold"), shown(why), "\n\n"))
        if self.raw or isinstance(made, Rejected):
            text.append(self._raw(row))
            return text
        return text.append_text(turns(made))

    def _raw(self, row: int) -> str:
        assert self.dataset is not None
        try:
            value = self.dataset.row(self.source, row)
        except (RowError, WorkbenchError):  # it has no values, and its reason is shown already
            return ""
        return _shortened(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def _show_counts(self, reports: "list[SourceReport]") -> None:
        self.reports = reports
        if self.source >= len(reports):
            return
        report = reports[self.source]
        self.workbench.refresh_keys()
        if report.error:
            self._say_counts(self._which().append_text(shown(f"! {report.error}", "bold")))
            return
        line = self._which().append_text(shown(report.path.name, "bold"))
        line.append(f"  {report.read:,} rows  {report.kept:,} kept")
        rejected = sum(map(len, report.rejected.values()))
        if rejected:
            line.append(f"  ✗ {rejected:,} rejected: ", style="bold")
            reasons = sorted(report.rejected.items(), key=lambda item: -len(item[1]))
            line.append_text(shown(", ".join(f"{len(rows):,} × {reason}" for reason, rows in reasons)))
            # Two lines are enough: the rows themselves say it again. The pane is as wide as the screen, and
            # may not have been laid out yet
            line.truncate(2 * (self.app.size.width - 2) - WRAP_CELLS, overflow="ellipsis")
        self._say_counts(line)

    def _say_counts(self, line: Text) -> None:
        self.query_one("#counts", Static).update(line)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rejected rows can be walked once they are counted; sources when there are two."""
        if name in ("next_rejected", "previous_rejected"):
            if not self.reports:
                return "the rows are still being counted"
            if not self._rejected_rows():
                return "no row of this source is rejected"
        if name == "next_source" and (self.dataset is None or len(self.dataset.sources) < 2):
            return "this project has one source"
        if name in ("open_prompt", "copy", "toggle_raw") and not self.query_one(VirtualTable).row_count:
            return "there is no row"
        return None

    def _rejected_rows(self) -> list[int]:
        if self.source >= len(self.reports):
            return []
        return sorted(row for rows in self.reports[self.source].rejected.values() for row in rows)

    async def do_open_prompt(self) -> None:
        """Show the row in the prompt pane."""
        await self.workbench.show("prompt")

    @on(VirtualTable.Selected)
    async def _selected(self) -> None:
        await self.action_do("open_prompt")

    def do_next_rejected(self) -> None:
        """The first rejected row after this one, else the first of all."""
        here = self.workspace.row[1]
        rows = self._rejected_rows()
        self.query_one(VirtualTable).move_to(next((row for row in rows if row > here), rows[0]))

    def do_previous_rejected(self) -> None:
        """The last rejected row before this one, else the last of all."""
        here = self.workspace.row[1]
        rows = self._rejected_rows()
        self.query_one(VirtualTable).move_to(next((row for row in reversed(rows) if row < here), rows[-1]))

    def do_next_source(self) -> None:
        """The rows of the next source."""
        assert self.dataset is not None
        self.workspace.row = ((self.source + 1) % len(self.dataset.sources), 0)
        self._show_source(self.dataset)
        self.workbench.refresh_keys()

    def do_toggle_raw(self) -> None:
        """Turns, or the record as it stands in the file."""
        self.raw = not self.raw
        self._show_row(self.workspace.row[1])

    def do_copy(self) -> None:
        """The row's text to the clipboard."""
        from workbench.ui.clipboard import copy

        self.workbench.say(copy(self.app, self._detail(self.workspace.row[1]).plain))


def turns(example: Example) -> Text:
    """A conversation for reading: each speaker on a line of its own."""
    text = Text()
    for message in example.messages:
        text.append(f"{message.role}\n", style="bold")
        text.append(f"{_shortened(message.content)}\n\n")
    return text


def _shortened(text: str) -> str:
    """Foreign text ready to draw; of a very long one the beginning, and how much is left out."""
    left_out = len(text) - DETAIL_CHARACTERS
    note = f"\n… {left_out:,} more characters" if left_out > 0 else ""
    return clean_lines(text[:DETAIL_CHARACTERS]) + note
