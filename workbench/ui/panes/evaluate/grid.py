"""Settings of the decoding against each other: what the checks found with each, and which to take."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from workbench.errors import WorkbenchError
from workbench.evaluation.decodings import grid_of
from workbench.evaluation.grid import RULE, Cell, Suggestion, suggest, table, written
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import EvaluateView
from workbench.ui.text import shown
from workbench.ui.widgets.table import Column, VirtualTable

NO_GRID = "This evaluation does not vary the decoding: t, then sampling, starts one that does"


class GridView(EvaluateView):
    """A line for each combination of settings."""

    NAME = "grid"
    BINDINGS = bindings("evaluate.grid")

    def compose(self) -> ComposeResult:
        """What is suggested, the table, the rule."""
        yield Static(id="grid-said")
        yield VirtualTable([], self._cells, id="grid")
        yield Static(RULE, id="grid-rule")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._grid: list[Cell] = []
        self._lines: list[list[str]] = []
        self._suggested: Suggestion | None = None

    def came_into_view(self) -> None:
        """Keys go to the table."""
        self.query_one(VirtualTable).focus()

    def fill(self) -> None:
        """What is answered by now."""
        nothing, grid_table = self.nothing_yet(), self.query_one(VirtualTable)
        self._grid = [] if nothing or self.seen is None else grid_of(self.seen.contents)
        self._lines, self._suggested = [], None
        said = shown(nothing or NO_GRID)
        if self._grid:
            head, self._lines = table(self._grid)
            grid_table.set_columns(
                [Column("", 1), *(Column(title, max(7, len(title)), right=True) for title in head)]
            )
            try:
                self._suggested = suggest(self._grid)
                said = Text.assemble(("★ suggested: ", "bold"), shown(self._suggested.why))
                said.append("   u writes the chosen line to [chat]")
            except WorkbenchError as error:
                said = shown(str(error))
        grid_table.set_row_count(len(self._lines))
        grid_table.refresh_rows()
        self.tell("#grid-said", said)
        self.query_one("#grid-rule").display = bool(self._grid)

    def _cells(self, row: int) -> list[str]:
        best = self._suggested is not None and self._grid[row] is self._suggested.cell
        alike = self._suggested is not None and any(self._grid[row] is each for each in self._suggested.alike)
        return ["★" if best else "≈" if alike else "", *self._lines[row]]

    # Actions

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("use")

    def why_not(self, name: str) -> str | None:
        """There has to be a grid."""
        return self.nothing_yet() or (None if self._grid else NO_GRID)

    def do_use(self) -> None:
        """Ask, then write the settings of the chosen line; the suggested one is chosen at first."""
        from workbench.ui.widgets.confirm import Confirm

        overrides = self._grid[self.query_one(VirtualTable).cursor].overrides

        def answered(yes: bool | None) -> None:
            if yes:
                with self.telling():
                    changes = {f"chat.{name}": value for name, value in overrides.items()}
                    saved = save_settings(self.workspace.project, changes)
                    self.workbench.project_changed(saved)
                    self.workbench.say(f"[chat] of {saved.file} has them now")

        self.app.push_screen(Confirm(f"Write {written(overrides)} to [chat] of project.toml?"), answered)
