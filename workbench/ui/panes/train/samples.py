"""What the model answered while it trained: a list by step, and the chosen answer with its prompt."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.runs.events import Event
from workbench.ui.text import shown
from workbench.ui.widgets.table import Column, VirtualTable

NONE_YET = "No samples yet: a lets the run answer three prompts"


class SampleView(Vertical):
    """Samples above, newest first, the chosen one below."""

    def compose(self) -> ComposeResult:
        """List and text."""
        yield VirtualTable(
            [Column("step", 7, right=True), Column("row", 6, right=True), Column("answer", 1.0)],
            self._cells,
            id="samples",
        )
        with VerticalScroll():
            yield Static(NONE_YET, id="sample")

    def on_mount(self) -> None:
        """Nothing at first."""
        self._samples: list[Event] = []

    def show(self, samples: list[Event]) -> None:
        """Take these in, oldest first."""
        newest = samples[::-1]
        if newest == self._samples:
            return
        self._samples = newest
        table = self.query_one(VirtualTable)
        table.set_row_count(len(newest))
        table.refresh_rows()
        table.move_to(0)
        self._write(0)

    def _cells(self, row: int) -> list[str]:
        sample = self._samples[row]
        return [str(sample["step"]), str(sample.get("row", "")), str(sample.get("answer", ""))]

    @on(VirtualTable.Highlighted, "#samples")
    def _chosen(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._write(event.row)

    def _write(self, row: int) -> None:
        text = Text(NONE_YET)
        if row < len(self._samples):
            sample = self._samples[row]
            ended = (
                "ended by itself" if sample.get("stopped") else "cut by chat.max_new_tokens or the context"
            )
            text = Text.assemble(
                ("prompt\n", "bold"),
                shown(str(sample.get("prompt", ""))),
                (f"\nanswer, {sample.get('tokens', '?')} tokens, {ended}\n", "bold"),
                shown(str(sample.get("answer", ""))),
            )
        self.query_one("#sample", Static).update(text)
