"""What the checks found: how many answers of each contestant, and what the chosen check looks for."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from workbench.evaluation.checks.registry import CHECKS
from workbench.evaluation.standing import Standing
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import ModelView, in_sight
from workbench.ui.text import shown
from workbench.ui.widgets.table import GUTTER, Column, VirtualTable

CHECK_CELLS, COUNT_CELLS = 16, 11


class ChecksView(ModelView):
    """A line for each check, a column for each contestant."""

    NAME = "checks"
    BINDINGS = bindings("evaluate.checks")

    def compose(self) -> ComposeResult:
        """Whose rows open, the table, the chosen check in words."""
        yield Static(id="checks-said")
        yield VirtualTable([], self._cells, id="answer-checks")
        yield Static(id="check-about")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._names = list(CHECKS)
        self._drawn: list[int] = []

    def came_into_view(self) -> None:
        """Keys go to the checks."""
        self.query_one(VirtualTable).focus()

    def on_resize(self) -> None:
        """As many columns as there is room for."""
        self.fill()

    def fill(self) -> None:
        """What was found by now."""
        table, nothing = self.query_one(VirtualTable), self.nothing_yet()
        if nothing or self.seen is None:
            table.set_row_count(0)
            self.tell("#checks-said", shown(nothing))
            self.tell("#check-about", "")
            return
        names = [contestant.name for contestant in self.seen.contents.plan.contestants]
        self._drawn = self._columns(len(names))
        titles = [f"[{names[n]}]" if n == self.pane.model else names[n] for n in self._drawn]
        table.set_columns(
            [
                Column("answers with", CHECK_CELLS),
                *(Column(shown(title).plain, COUNT_CELLS, right=True) for title in titles),
            ]
        )
        table.set_row_count(len(self._names))
        table.refresh_rows()
        table.refresh()
        of = self._standing(self.pane.model)
        more = f", {of.checked:,} checked by now" if of.checked < of.answers else ""
        self.tell("#checks-said", self.model_line().append(f"   {of.answers:,} answers{more}", "not bold"))
        self._say(table.cursor)

    def _columns(self, count: int) -> list[int]:
        """The contestants that have room, the chosen one among them."""
        room = max(1, (self.size.width - GUTTER - 1 - CHECK_CELLS) // (COUNT_CELLS + 1))
        return in_sight(count, room, self.pane.model, self._drawn[0] if self._drawn else 0)

    def _cells(self, row: int) -> list[str]:
        name = self._names[row]
        return [name, *(self._count(self._standing(number), name) for number in self._drawn)]

    def _count(self, standing: Standing, check: str) -> str:
        found = standing.findings.get(check, 0)
        if not found:
            return "·" if standing.checked == standing.answers else "…"
        return f"{found:,} {found / standing.checked:.0%}"

    def _standing(self, number: int) -> Standing:
        assert self.seen is not None and self.seen.table is not None
        return self.seen.table.standings[number]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._say(event.row)
        self.workbench.refresh_keys()

    def _say(self, row: int) -> None:
        name = self._names[row]
        self.tell("#check-about", Text.assemble((name, "bold"), f": {CHECKS[name].about}"))

    # Actions

    def why_not(self, name: str) -> str | None:
        """A check that found nothing has no rows."""
        if reason := self.nothing_yet():
            return reason
        found = self._standing(self.pane.model).findings
        if name == "open_rows" and not found.get(self._names[self.query_one(VirtualTable).cursor]):
            return "this check found nothing in the answers of this model"
        return None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_rows")

    async def do_open_rows(self) -> None:
        """The rows in which it found something."""
        from workbench.ui.panes.evaluate.rows import RowsView

        view = await self.pane.show("rows")
        assert isinstance(view, RowsView)
        view.only(self._names[self.query_one(VirtualTable).cursor])
