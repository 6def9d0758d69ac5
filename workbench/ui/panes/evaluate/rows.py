"""The rows of one contestant, those it is worst at first, and the chosen one with its answer."""

import math
from threading import Lock

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from workbench.evaluation.contents import Key, Results, RowResult, question
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.row_text import conversation, findings_text
from workbench.ui.panes.evaluate.view import ModelView
from workbench.ui.text import clean, shown
from workbench.ui.widgets.table import Column, VirtualTable

CELL_CHARACTERS = 400


class RowsView(ModelView):
    """Rows above, the chosen one below; beside it on a wide screen."""

    NAME = "rows"
    BINDINGS = bindings("evaluate.rows")

    def compose(self) -> ComposeResult:
        """Which contestant, the table, the row."""
        yield Static(id="rows-said")
        with Container(classes="split"):
            yield VirtualTable([], self._cells, id="evaluated-rows")
            with VerticalScroll(classes="second"):
                yield Static(id="evaluated-row")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.results: list[RowResult] = []
        self._check = ""
        self._labels = False
        self._ranked: Results | None = None
        self._of: object = None
        self._ranking = Lock()

    def came_into_view(self) -> None:
        """Keys go to the rows."""
        self.query_one(VirtualTable).focus()

    def only(self, check: str) -> None:
        """The rows in which this check found something; all of them for an empty name."""
        self._check = check
        self.fill()

    def fill(self) -> None:
        """The rows as they are known by now; the chosen one stays chosen while it is there."""
        table, nothing = self.query_one(VirtualTable), self.nothing_yet()
        before = self.chosen_row()
        if nothing or self.seen is None:
            self.results, self._ranked = [], None
        else:
            wanted = self.seen.contents.results[self.pane.model]
            if wanted is not self._ranked:
                self._rank(wanted)
                if self._of != (self.seen.evaluation, self.pane.model):
                    self.results, nothing = [], "looking through the answers…"
            else:
                self._of = (self.seen.evaluation, self.pane.model)
                self.results = [
                    each
                    for each in wanted.worst_first
                    if not self._check or any(finding.check == self._check for finding in each.findings)
                ]
        self._labels = any(each.predicted for each in self.results)
        table.set_columns(self._columns())
        table.set_row_count(len(self.results))
        table.refresh_rows()
        keys = [each.row.key for each in self.results]
        table.move_to(keys.index(before) if before in keys else 0)
        self.tell("#rows-said", self._said(nothing))
        self._write(table.cursor)

    @work(thread=True, group="rank", exit_on_error=False)
    def _rank(self, wanted: Results) -> None:
        """Every answer is checked: never in the event loop, and by one thread at a time."""
        if self._ranking.acquire(blocking=False):
            try:
                wanted.worst_first  # noqa: B018 - kept by the results
            finally:
                self._ranking.release()
            self.app.call_from_thread(self._show_ranked, wanted)

    def _show_ranked(self, wanted: Results) -> None:
        if self.is_attached:
            self._ranked = wanted
            self.fill()

    def chosen_row(self) -> Key | None:
        """Source and number of the row under the cursor."""
        cursor = self.query_one(VirtualTable).cursor
        return self.results[cursor].row.key if cursor < len(self.results) else None

    def _said(self, nothing: str) -> Text:
        if nothing:
            return shown(nothing)
        line = self.model_line()
        rows = f"{len(self.results):,} row{'' if len(self.results) == 1 else 's'}"
        if self._check:
            return line.append_text(shown(f"   only {rows} with {self._check}: esc shows all", "bold"))
        return line.append(f"   {rows}, the worst first", "not bold")

    def _columns(self) -> list[Column]:
        labels = [Column("should be", 10), Column("is", 11)] if self._labels else []
        return [
            Column("row", 8, right=True),
            Column("ppl", 9, right=True),
            *labels,
            Column("found", 0.3),
            Column("asked", 0.35),
            Column("answer", 0.35),
        ]

    def _cells(self, number: int) -> list[str]:
        each = self.results[number]
        wrong = "✗ " if each.wrong else ""
        labels = [each.true, f"{wrong}{each.predicted}"] if self._labels else []
        checks = ", ".join(dict.fromkeys(finding.check for finding in each.findings))
        return [
            each.row.id,
            _figure(each.perplexity),
            *labels,
            checks or (each.skipped and f"! {each.skipped}"),
            clean(question(each.row)[:CELL_CHARACTERS]),
            clean(each.answer.text[:CELL_CHARACTERS]) if each.answer else "",
        ]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._write(event.row)

    def _write(self, number: int) -> None:
        text = Text()
        if number < len(self.results):
            each = self.results[number]
            text = conversation(each.row)
            text.append_text(findings_text(each))
            text.append("answer\n", "bold")
            text.append_text(shown(each.answer.text if each.answer else each.skipped or "none yet"))
        self.query_one("#evaluated-row", Static).update(text)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rows can be opened when there are some."""
        if reason := self.nothing_yet():
            return reason
        if name == "open_row" and not self.results:
            return "there is no row"
        if name == "all_rows" and not self._check:
            return "all rows are shown"
        return None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_row")

    async def do_open_row(self) -> None:
        """The row with the answers of all."""
        from workbench.ui.panes.evaluate.beside import BesideView

        row = self.chosen_row()
        view = await self.pane.show("beside")
        assert isinstance(view, BesideView) and row is not None
        view.go_to(row)

    def do_all_rows(self) -> None:
        """Not those of one check alone."""
        self.only("")


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if math.isfinite(value) else str(value)
