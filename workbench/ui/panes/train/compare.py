"""Marked runs side by side: figures sorted by a metric, settings that differ, verdicts and journals."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.runs.folder import Run
from workbench.ui.actions import bindings
from workbench.ui.panes.train.view import TrainView
from workbench.ui.run_figures import SIGNS
from workbench.ui.text import shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.runs.compare import Comparison

ROOMY = 76
"""Columns of the screen from which on a second metric stands beside the first."""


class CompareView(TrainView):
    """What `workbench compare` prints, to be sorted and read."""

    NAME = "compare"
    BINDINGS = bindings("train.compare")

    def compose(self) -> ComposeResult:
        """Warnings, a row for each run, what differs and what was found."""
        yield Static("Reading the logs…", id="compare-said")
        yield VirtualTable([], self._cells, id="compared")
        with VerticalScroll(id="compare-text"):
            yield Static(id="compare-rest")

    def on_mount(self) -> None:
        """Nothing yet."""
        self.comparison: Comparison | None = None
        self._roomy, self._failed = True, False

    def came_into_view(self) -> None:
        """Keys go to the runs."""
        self.query_one(VirtualTable).focus()

    def compare(self, runs: list[Run]) -> None:
        """These runs, from their logs as they are now."""
        self.comparison, self._failed = None, False
        self.query_one(VirtualTable).set_row_count(0)
        self._say(Text("Reading the logs…"))
        self.query_one("#compare-rest", Static).update("")
        self._read(runs)

    @work(thread=True, exclusive=True, group="compare", exit_on_error=False)
    def _read(self, runs: list[Run]) -> None:
        from workbench.runs.compare import compare

        worker = get_current_worker()
        try:
            comparison = compare(runs)
        except WorkbenchError as error:
            self._failed = True
            self.app.call_from_thread(self._say, shown(f"✗ {error}", "bold"))
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, comparison)

    def _say(self, text: Text) -> None:
        self.query_one("#compare-said", Static).update(text)

    def _show(self, comparison: "Comparison") -> None:
        from workbench.ui.comparison import differences, judgements

        self.comparison = comparison
        metric = comparison.metric.replace("_", " ")
        said = Text.assemble(("Compared by ", ""), (metric, "bold"), ("   m sorts by another metric", ""))
        for warning in comparison.warnings:
            said.append_text(shown(f"\n! {warning}", "bold"))
        self._say(said)
        other = "loss" if comparison.metric == "validation_loss" else "validation_loss"
        table = self.query_one(VirtualTable)
        columns = [
            Column("", 2, right=True),
            Column("", 1),
            Column("step", 8, right=True),
            Column("best @step", 15, right=True),
            Column("last", 8, right=True),
            Column("run", 1.0),
        ]
        self._roomy = self.size.width >= ROOMY
        if self._roomy:
            columns.insert(-1, Column(f"{other.partition('_')[0]} @step", 16, right=True))
        table.set_columns(columns)
        table.set_row_count(len(comparison.runs))
        table.styles.height = 1 + len(comparison.runs)
        table.refresh_rows()
        table.move_to(0)
        settings = differences(comparison) if comparison.differences else "no setting is known to differ"
        self.query_one("#compare-rest", Static).update(Group(settings, judgements(comparison)))
        self.query_one("#compare-text").scroll_home(animate=False)
        self.workbench.refresh_keys()

    def _cells(self, row: int) -> list[str]:
        from workbench.ui.comparison import figure_cells

        comparison = self.comparison
        assert comparison is not None
        each = comparison.runs[row]
        other = "loss" if comparison.metric == "validation_loss" else "validation_loss"
        best, last = figure_cells(each, comparison.metric)
        mark = self.pane.mark_of(each.run) or SIGNS[each.status.state]
        beside, _ = figure_cells(each, other)
        middle = [beside] if self._roomy else []
        return [str(row + 1), mark, str(each.status.step), best, last, *middle, each.run.id]

    def chosen_run(self) -> Run | None:
        """The run under the cursor."""
        row = self.query_one(VirtualTable).cursor
        return self.comparison.runs[row].run if self.comparison else None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open")

    # Actions

    def why_not(self, name: str) -> str | None:
        """Until the logs are read there is nothing to do but wait or leave."""
        if self.comparison is not None or name == "back":
            return None
        return "these runs could not be read" if self._failed else "the logs are being read"

    def do_sort(self) -> None:
        """The next metric that one of the runs has measured."""
        from workbench.runs.compare import METRICS, sorted_by

        comparison = self.comparison
        assert comparison is not None
        known = [name for name in METRICS if any(name in each.figures for each in comparison.runs)]
        if known:
            here = known.index(comparison.metric) if comparison.metric in known else -1
            self._show(sorted_by(comparison, known[(here + 1) % len(known)]))
