"""The project's evaluations, and the table of the chosen one's contestants with bars of one figure."""

import math

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.evaluation.measures import Measure, cell, measured, told
from workbench.evaluation.standing import Table
from workbench.runs.status import State
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import EvaluateView, in_sight
from workbench.ui.run_figures import SIGNS, clock
from workbench.ui.text import clean, shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.table import GUTTER, Column, VirtualTable

NAME_SHARE = 0.45
"""Of the width, for the contestants' names at most: a grid's say two settings with their values."""
FIGURE_CELLS = 11
LISTED = 3
"""Evaluations in view at once."""


class LadderView(EvaluateView):
    """Evaluations above, contestants below, what the chosen figure is, and its bars."""

    NAME = "ladder"
    BINDINGS = bindings("evaluate.ladder")

    def compose(self) -> ComposeResult:
        """Two tables, a line, bars."""
        columns = [
            Column("", 1),
            Column("state", 22),
            Column("models", 6, right=True),
            Column("evaluation", 1.0),
        ]
        yield VirtualTable(columns, self._evaluation, id="evaluations")
        yield VirtualTable([], self._contestant, id="contestants")
        yield Static(id="measure")
        with VerticalScroll(id="bars-of-measure"):
            yield Static(id="measure-bars")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.metric = 0
        self.table: Table | None = None
        self.measures: list[Measure] = []
        self._drawn: list[int] = []

    def came_into_view(self) -> None:
        """Keys go to the contestants."""
        self.query_one("#contestants").focus()

    def on_resize(self) -> None:
        """As many columns as there is room for."""
        self._draw()

    def fill(self) -> None:
        """What is measured by now."""
        seen, listed = self.seen, self.pane.listed
        evaluations, contestants = (
            self.query_one(f"#{name}", VirtualTable) for name in ("evaluations", "contestants")
        )
        evaluations.set_row_count(len(listed))
        evaluations.display = bool(listed)
        evaluations.styles.height = 1 + min(LISTED, len(listed))
        evaluations.refresh_rows()
        shown_ones = [each.evaluation for each, _ in listed]
        if seen is not None and seen.evaluation in shown_ones:
            evaluations.move_to(shown_ones.index(seen.evaluation))
        self.table = seen.table if seen else None
        self.measures = measured(self.table) if self.table else []
        self.metric = min(self.metric, max(0, len(self.measures) - 1))
        count = len(self.table.standings) if self.table else 0
        contestants.set_row_count(count)
        contestants.display = bool(count)
        contestants.styles.height = 1 + count
        contestants.move_to(self.pane.model)
        self._draw()

    # Drawing

    def _evaluation(self, row: int) -> list[str]:
        listed, status = self.pane.listed[row]
        sign, state = SIGNS[status.state], status.state.value
        if listed.plan is None:
            sign, state = "✗", "cannot be read"
        elif status.going:
            share = f" {status.done / status.total:.0%}" if status.total else ""
            left = "" if status.eta_seconds is None else f" {clock(status.eta_seconds)} left"
            state += share + left
        count = "" if listed.plan is None else str(len(listed.plan.contestants))
        return [sign, state, count, listed.evaluation.id]

    def _contestant(self, row: int) -> list[str]:
        assert self.table is not None
        figures = [cell(self.measures[n], self.table, row) for n in self._drawn]
        return [self.table.standings[row].name, *(["", *figures, ""] if figures else [])]

    def _columns(self) -> list[int]:
        """The figures that have room, the chosen one among them."""
        room = max(1, (self.size.width - GUTTER - 5 - self._name_cells()) // (FIGURE_CELLS + 1))
        return in_sight(len(self.measures), room, self.metric, self._drawn[0] if self._drawn else 0)

    def _name_cells(self) -> int:
        assert self.table is not None
        room = round(self.size.width * NAME_SHARE)
        return min(room, max(cell_len(clean(each.name)) for each in self.table.standings))

    def _draw(self) -> None:
        table, seen = self.query_one("#contestants", VirtualTable), self.seen
        if self.table is None or seen is None or not self.measures:
            problem = (
                shown(f"✗ {seen.problem}", "bold")
                if seen and seen.problem
                else Text("nothing is measured yet")
            )
            self.tell("#measure", problem if seen else "")
            self.tell("#measure-bars", "")
            self._drawn = []
            table.set_columns([Column("model", 1.0)])
            table.refresh_rows()
            return
        self._drawn = drawn = self._columns()
        titles = [
            f"[{each.title}]" if n == self.metric else each.title for n, each in enumerate(self.measures)
        ]
        more = ("‹" if drawn[0] else "", "›" if drawn[-1] < len(self.measures) - 1 else "")
        figures = [Column(titles[n], FIGURE_CELLS, right=True) for n in drawn]
        table.set_columns(
            [Column("model", self._name_cells()), Column(more[0], 1), *figures, Column(more[1], 1)]
        )
        table.refresh_rows()
        table.refresh()
        chosen = self.measures[self.metric]
        self.tell("#measure", Text.assemble((chosen.name, "bold"), chosen.line.removeprefix(chosen.name)))
        lines = [*filter(None, [chosen.definition]), *told(self.table, seen.contents.plan)]
        said = shown("".join(f"\n{line}" for line in lines))
        self.tell("#measure-bars", self._bars(self.table).append_text(said))

    def _bars(self, table: Table) -> Text:
        """From 0 to the greatest; what is not finite is said."""
        measure = self.measures[self.metric]
        values = [figure.mean if figure else math.nan for figure in map(measure.of, table.standings)]
        most = 1.0 if measure.share else max(filter(math.isfinite, values), default=0.0)
        names = self._name_cells()
        room = max(4, self.size.width - names - FIGURE_CELLS - 6)
        text = Text(no_wrap=True)
        for number, (standing, value) in enumerate(zip(table.standings, values, strict=True)):
            label = Text(clean(standing.name))
            label.truncate(names, overflow="ellipsis", pad=True)
            drawn = bar(value / most, room).rstrip() if math.isfinite(value) and most > 0 else ""
            text.append_text(label)
            text.append(f" {cell(measure, table, number):>{FIGURE_CELLS}} {drawn}\n")
        return text

    # Actions

    def why_not(self, name: str) -> str | None:
        """Figures and rows need an evaluation that measured something."""
        seen = self.seen
        if name == "resume":
            if seen is None:
                return "there is no evaluation yet: t starts one"
            if seen.status.going:
                return "this evaluation is going on"
            if seen.problem:
                return "this evaluation cannot be read"
            return "this evaluation is finished" if seen.status.state is State.FINISHED else None
        if reason := self.nothing_yet():
            return reason
        if name in ("metric", "metric_before") and not self.measures:
            return "nothing is measured yet"
        return None

    @on(VirtualTable.Highlighted, "#evaluations")
    def _chosen(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.row < len(self.pane.listed):
            self.pane.choose(self.pane.listed[event.row][0].evaluation)

    @on(VirtualTable.Highlighted, "#contestants")
    def _model(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self.pane.choose_model(event.row)

    @on(VirtualTable.Selected, "#contestants")
    async def _open(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_rows")

    @on(VirtualTable.Selected, "#evaluations")
    def _to_contestants(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.query_one("#contestants").focus()

    def do_metric(self) -> None:
        """The next figure."""
        self._step(1)

    def do_metric_before(self) -> None:
        """The figure before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        self.metric = (self.metric + by) % len(self.measures)
        self._draw()

    async def do_open_rows(self) -> None:
        """The rows of the contestant under the cursor."""
        await self.pane.show("rows")

    def do_resume(self) -> None:
        """Go on where it was; what is measured stays."""
        from workbench.evaluation import jobs

        assert self.seen is not None
        jobs.resume(self.seen.evaluation)
        self.workbench.say("goes on; what is measured stays")
        self.pane.read()
