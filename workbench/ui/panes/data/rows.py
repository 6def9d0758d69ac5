"""The rows of a source: what each becomes, where it is used, and which are left out and why."""

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Input, Static

from workbench.data.example import Example, Origin, Rejected
from workbench.data.files.rows import RowError
from workbench.errors import WorkbenchError
from workbench.ui.actions import bindings
from workbench.ui.panes.data.listings import Offer, offers
from workbench.ui.panes.data.marks import SIGNS, Marks
from workbench.ui.panes.data.pane import Listing
from workbench.ui.panes.data.row_text import outcome, shortened, turns, why_left_out
from workbench.ui.panes.data.view import NO_SOURCE, DataView
from workbench.ui.text import clean, counted, shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset
    from workbench.data.report import SourceReport

CELL_CHARACTERS = 400
"""More than any cell can show; a row of a megabyte is not cleaned whole for its first line."""
GROWTH_SECONDS = 0.25
WRAP_CELLS = 12
"""What breaking between words may leave empty at the end of a line."""


class RowsView(DataView):
    """Rows above, the selected row below; beside it on a wide screen."""

    NAME = "rows"
    BINDINGS = bindings("data.rows")

    def compose(self) -> ComposeResult:
        """A line of counts, the table, the row's detail."""
        yield Static("opening…", id="counts")
        with Container(classes="split"):
            yield VirtualTable(
                [
                    Column("row", 8),
                    Column("", 1),
                    Column("side", 5),
                    Column("user", 0.45),
                    Column("assistant", 0.55),
                ],
                self._cells,
                id="table",
            )
            with VerticalScroll(id="detail", can_focus=False):
                yield Static(id="row")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.dataset: Dataset | None = None
        self.listing: Listing | None = None
        self.source = 0
        self.raw = False
        self._marks = lru_cache(4)(self._make_marks)
        self._growth = self.set_interval(GROWTH_SECONDS, self._follow_growth, pause=True)

    def came_into_view(self) -> None:
        """The selected row may have been changed elsewhere."""
        self.query_one(VirtualTable).focus()
        if not self._up_to_date:
            return
        if self.listing and self.workspace.row not in self.listing.rows:
            self.listing = None
            self._show_source()
        elif not self.listing and self.workspace.row[0] != self.source:
            self._show_source()
        else:
            self._move_to(*self.workspace.row)

    @property
    def _up_to_date(self) -> bool:
        """What is shown is of the project as it is: else the selected row is not one of these."""
        return self.dataset is not None and self.dataset is self.workspace.opened

    def fill(self) -> None:
        """Open the source when the dataset is another one; tell the counts when they are known."""
        dataset = self.workspace.opened
        if dataset is None:
            return
        if dataset is not self.dataset:
            self.dataset, self.listing = dataset, None
            self._show_source()
        self._marks.cache_clear()
        self.query_one(VirtualTable).refresh_rows()
        self._say_counts()

    def _show_source(self) -> None:
        """The rows of the selected row's source."""
        assert self.dataset is not None
        table = self.query_one(VirtualTable)
        table.set_row_count(0)
        self.query_one("#row", Static).update("")
        if not self.dataset.sources:
            self._say_counts()
            return
        source, row = self.workspace.row
        self.source = min(source, len(self.dataset.sources) - 1)
        self._say_counts()
        if self.dataset.sources[self.source].error:
            return
        self._growth.resume()
        self._follow_growth()
        table.refresh_rows()
        table.move_to(row)
        self._show_row(table.cursor)

    def _follow_growth(self) -> None:
        """An index that is still being built shows the rows known so far."""
        if self.dataset is None or self.listing is not None:
            return
        state = self.dataset.sources[self.source]
        table = self.query_one(VirtualTable)
        first = table.row_count == 0
        table.set_row_count(state.known_rows)
        if first:
            self._show_row(table.cursor)
        if state.complete:
            self._growth.pause()

    def show_listing(self, listing: Listing) -> None:
        """Only these rows, the first of them selected."""
        self.listing = listing
        table = self.query_one(VirtualTable)
        table.set_row_count(len(listing.rows))
        table.refresh_rows()
        table.move_to(0)
        self._show_row(0)
        self._say_counts()
        self.workbench.refresh_keys()

    # Which row stands on which line

    def _place(self, line: int) -> tuple[int, int]:
        return self.listing.rows[line] if self.listing else (self.source, line)

    def _move_to(self, source: int, row: int) -> None:
        table = self.query_one(VirtualTable)
        if self.listing is None:
            table.move_to(row)
        elif (source, row) in self.listing.rows:
            table.move_to(self.listing.rows.index((source, row)))

    @property
    def _report(self) -> "SourceReport | None":
        selected = self.workspace.selected
        return selected.reports[self.source] if selected and selected.reports else None

    def _make_marks(self, source: int) -> "Marks | None":
        selected = self.workspace.selected
        return Marks(selected, source) if selected and selected.complete else None

    def _made(self, source: int, row: int) -> Example | Rejected:
        """What a row becomes; a file that went away meanwhile rejects it."""
        assert self.dataset is not None
        try:
            return self.dataset.example(source, row)
        except WorkbenchError as error:
            return Rejected(Origin(source, row), "cannot be read", str(error))

    # What is shown

    def _cells(self, line: int) -> list[str | Text]:
        source, row = self._place(line)
        made = self._made(source, row)
        several = self.listing and self.dataset and len(self.dataset.sources) > 1
        name = f"{source + 1}:{row}" if several else str(row)
        if isinstance(made, Rejected):
            sign = SIGNS["filtered" if made.filtered else "rejected"]
            return [name, sign, "", shown(made.reason, "bold"), shown(made.detail[:CELL_CHARACTERS], "dim")]
        marks = self._marks(source)
        mark, side = (marks.mark(row), marks.side(row)) if marks else ("", "")
        user = next((message.content for message in made.messages if message.role == "user"), "")
        assistant = next((message.content for message in made.messages if message.role == "assistant"), "")
        return [name, SIGNS[mark], side, clean(user[:CELL_CHARACTERS]), clean(assistant[:CELL_CHARACTERS])]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_row(event.row)

    def _show_row(self, line: int) -> None:
        if not self._up_to_date or line >= self.query_one(VirtualTable).row_count:
            return
        self.workspace.row = self._place(line)
        self.query_one("#row", Static).update(self._detail())
        self.query_one("#detail").scroll_home(animate=False)

    def _detail(self) -> Text:
        source, row = self.workspace.row
        made = self._made(source, row)
        text = Text()
        if isinstance(made, Rejected):
            text.append_text(why_left_out(made))
        elif (marks := self._marks(source)) and (mark := marks.mark(row)):
            used = "in use all the same" if marks.side(row) else "left out"
            why = {"duplicate": "an earlier row says the same", "not taken": "take drew others"}[mark]
            text.append(f"{SIGNS[mark]} {mark}: {why}; {used}\n\n", style="bold")
        if self.raw or isinstance(made, Rejected):
            return text.append(self._raw(source, row))
        return text.append_text(turns(made))

    def _raw(self, source: int, row: int) -> str:
        assert self.dataset is not None
        try:
            value = self.dataset.row(source, row)
        except (RowError, WorkbenchError):  # it has no values, and its reason is shown already
            return ""
        return shortened(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def _say_counts(self) -> None:
        self.tell("#counts", self._counts())

    def _counts(self) -> Text:
        if self.dataset is None or not self.dataset.sources:
            return Text(NO_SOURCE)
        if self.listing:
            line = Text.assemble("only ", shown(self.listing.title, "bold"))
            return line.append(
                f": {counted(len(self.listing.rows), 'row')}   n N walk them, esc shows all rows"
            )
        count = len(self.dataset.sources)
        line = Text(f"source {self.source + 1} of {count}  " if count > 1 else "")
        state, report = self.dataset.sources[self.source], self._report
        if error := state.error or (report.error if report else ""):
            return line.append_text(shown(f"! {error}", "bold"))
        line.append_text(shown(report.name if report else state.path.name, "bold"))
        if not report:
            return line.append("  counting…")
        line.append_text(outcome(report))
        # Two lines are enough: the sources view says all of it. The pane is as wide as the screen, and may
        # not have been laid out yet
        line.truncate(2 * (self.app.size.width - 2) - WRAP_CELLS, overflow="ellipsis")
        return line

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rejected rows can be walked once they are counted; sources when there are two."""
        table = self.query_one(VirtualTable)
        if name in ("next_rejected", "previous_rejected") and not self.listing:
            if not self._report:
                return "the rows are still being counted"
            if not self._report.rejected:
                return "no row of this source is rejected"
        if name == "filter" and not self._report:
            return "there is no row" if self.workspace.selected else "the rows are still being counted"
        if name == "show_all" and not self.listing and not self.query("#jump"):
            return "all rows of this source are shown"
        if name in ("next_source", "previous_source") and (
            self.dataset is None or len(self.dataset.sources) < 2
        ):
            return "this project has one source"
        if name in ("open_prompt", "copy", "toggle_raw", "jump") and not table.row_count:
            return "there is no row"
        return None

    async def do_open_prompt(self) -> None:
        """Show the row in the prompt pane."""
        await self.workbench.show("prompt")

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_prompt")

    def do_next_rejected(self) -> None:
        """The first rejected row after this one, else the first of all; of a listing the next row."""
        self._walk(1)

    def do_previous_rejected(self) -> None:
        """The last rejected row before this one, else the last of all."""
        self._walk(-1)

    def _walk(self, by: int) -> None:
        table = self.query_one(VirtualTable)
        if self.listing:
            table.move_to((table.cursor + by) % len(self.listing.rows))
            return
        assert self._report is not None
        rows = sorted(row for rows in self._report.rejected.values() for row in rows)
        if by > 0:
            table.move_to(next((row for row in rows if row > table.cursor), rows[0]))
        else:
            table.move_to(next((row for row in reversed(rows) if row < table.cursor), rows[-1]))

    async def do_show_all(self) -> None:
        """Leave the row input; else all rows of the selected row's source, the cursor where it was."""
        if asked := self.query("#jump"):
            await asked.remove()
            self.query_one(VirtualTable).focus()
            return
        self.listing = None
        self._show_source()
        self.workbench.refresh_keys()

    def do_next_source(self) -> None:
        """The rows of the next source."""
        self._step_source(1)

    def do_previous_source(self) -> None:
        """The rows of the source before."""
        self._step_source(-1)

    def _step_source(self, by: int) -> None:
        assert self.dataset is not None
        self.listing = None
        self.workspace.row = ((self.source + by) % len(self.dataset.sources), 0)
        self._show_source()
        self.workbench.refresh_keys()

    def do_toggle_raw(self) -> None:
        """Turns, or the record as it stands in the file."""
        self.raw = not self.raw
        self._show_row(self.query_one(VirtualTable).cursor)

    def do_copy(self) -> None:
        """The row's text to the clipboard."""
        from workbench.ui.clipboard import copy

        self.workbench.say(copy(self.app, self._detail().plain))

    def do_filter(self) -> None:
        """Choose a reason, a side or a tag; only its rows are shown."""
        from workbench.ui.widgets.pick import Pick

        assert self.workspace.selected is not None
        offered = offers(self.workspace.selected, self.source)

        def chosen(index: int | None) -> None:
            if index is not None:
                self.tell("#counts", "looking for its rows…")
                self._gather(offered[index])

        self.app.push_screen(Pick("Show only", [str(offer) for offer in offered]), chosen)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _gather(self, offer: Offer) -> None:
        """Rows with a tag are found by reading: never in the event loop."""
        rows = offer.rows(self.workspace.dataset())
        self.app.call_from_thread(self.show_listing, Listing(offer.title, rows))

    async def do_jump(self) -> None:
        """Ask for a row number."""
        if not self.query("#jump"):
            asked = Input(placeholder="row number, enter goes there, esc leaves", id="jump", compact=True)
            await self.mount(asked, before="#counts")
            asked.focus()

    @on(Input.Submitted, "#jump")
    async def _jumped(self, event: Input.Submitted) -> None:
        event.stop()
        asked, table = event.value.strip().replace(",", ""), self.query_one(VirtualTable)
        if not (asked.isdecimal() and (self.listing or int(asked) < table.row_count)):
            self.workbench.say(f"rows go from 0 to {table.row_count - 1:,}", "warning")
            return
        if self.listing and (self.workspace.row[0], int(asked)) not in self.listing.rows:
            self.workbench.say(f"row {asked} is not among those shown; esc shows all rows", "warning")
            return
        await event.input.remove()
        table.focus()
        self._move_to(self.workspace.row[0], int(asked))
