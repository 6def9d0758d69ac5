"""What a sweep came to: its runs, the lowest validation loss first, with bars."""

import math
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from workbench.runs.folder import Run
from workbench.ui.text import shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.runs.sweep.store import Result, Sweep

BAR_CELLS = 10


class SweepTable(Vertical):
    """A title and a table; nothing while there is no sweep."""

    def compose(self) -> ComposeResult:
        """Title and rows."""
        yield Static(id="sweep-said")
        columns = [
            Column("loss", 8, right=True),
            Column("", BAR_CELLS),
            Column("step", 6, right=True),
            Column("state", 11),
            Column("tried", 1.0),
        ]
        yield VirtualTable(columns, self._cells, id="results")

    def on_mount(self) -> None:
        """Nothing yet."""
        self._results: list[Result] = []
        self.display = False

    @property
    def has_keys(self) -> bool:
        """Keys go to its table."""
        return self.query_one(VirtualTable).has_focus

    def show(self, sweep: "Sweep | None", results: "list[Result]") -> None:
        """These, best first."""
        self.display = sweep is not None
        self._results = results
        table = self.query_one(VirtualTable)
        table.set_row_count(len(results))
        table.refresh_rows()
        if sweep is None:
            return
        keys = ", ".join(key.rpartition(".")[2] for key in sweep.keys)
        text = Text.assemble(("Sweep ", "bold"), shown(f"{sweep.id}: {keys}; by validation loss", "bold"))
        if sweep.moves_validation:
            moved = ", ".join(sweep.moves_validation)
            text.append_text(shown(f"\n! {moved} changes what validation measures: not comparable across it"))
        self.query_one("#sweep-said", Static).update(text)

    def chosen_run(self) -> Run | None:
        """The run under the cursor."""
        row = self.query_one(VirtualTable).cursor
        return self._results[row].place.run if row < len(self._results) else None

    def _cells(self, row: int) -> list[str]:
        each = self._results[row]
        judged = not math.isnan(each.loss)
        worst = max((other.loss for other in self._results if not math.isnan(other.loss)), default=0.0)
        return [
            f"{each.loss:.4f}" if judged else "–",
            bar(each.loss / worst, BAR_CELLS) if judged and worst > 0 else "",
            "" if each.step is None else str(each.step),
            each.place.turn.value,
            "  ".join(f"{key.rpartition('.')[2]}={value}" for key, value in each.choice.items()),
        ]
