"""Ask what is to be taken out of a run, and where it goes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from workbench.errors import WorkbenchError
from workbench.exporting.destination import holds_export, require_free
from workbench.exporting.request import KINDS, ExportRequest, Kind
from workbench.project.paths import expanded
from workbench.ui.text import shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.runs.checkpoints import Checkpoint
    from workbench.runs.folder import Run

KEYS = "↑↓ what   enter exports   esc leaves"
FOLDER = "exports"
"""Where exports go unless another folder is typed; in the project."""


class ExportDialog(Dialog[ExportRequest | None]):
    """Answers what is asked for, None on esc. Arrows choose; what is typed is the folder."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
    ]

    def __init__(
        self, project: Path, run: "Run", checkpoints: "Sequence[Checkpoint]", kinds: Sequence[Kind]
    ) -> None:
        """`checkpoints`: what there is, the newest first."""
        super().__init__()
        self._project, self._run = project, run
        self._offered = [(kind, checkpoint) for kind in kinds for checkpoint in checkpoints]
        self._suggested = ""
        self._replaces: Path | None = None

    def compose(self) -> ComposeResult:
        """What, where, what stands against it, keys."""
        with Vertical(classes="dialog dialog-list"):
            yield Static(shown(f"Take a model out of {self._run.id}", "bold"))
            columns = [Column("as", 8), Column("step", 7, right=True), Column("", 7), Column("for", 1.0)]
            yield VirtualTable(columns, self._cells, id="offered")
            yield Static("Into the folder")
            yield Input(compact=True, id="export-to")
            yield Static(id="export-said")
            yield Static(KEYS, classes="dialog-keys")

    def on_mount(self) -> None:
        """The newest adapter, or whole model, at first."""
        table = self.query_one("#offered", VirtualTable)
        table.can_focus = False
        table.set_row_count(len(self._offered))
        self._suggest()
        self.query_one(Input).focus()

    def _cells(self, row: int) -> list[str]:
        kind, checkpoint = self._offered[row]
        return [kind, str(checkpoint.step), "(best)" if checkpoint.best else "", KINDS[kind]]

    @property
    def _chosen(self) -> "tuple[Kind, Checkpoint]":
        return self._offered[self.query_one("#offered", VirtualTable).cursor]

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value.strip()

    @on(VirtualTable.Highlighted, "#offered")
    def _suggest(self) -> None:
        """A folder of its own for each; one that was typed stays."""
        kind, checkpoint = self._chosen
        suggested = f"{FOLDER}/{self._run.id}-step-{checkpoint.step}-{kind}"
        if self._typed == self._suggested:
            self.query_one(Input).value = suggested
        self._suggested = suggested

    @on(Input.Changed)
    def _changed(self) -> None:
        self._say(Text())

    @on(Input.Submitted)
    @on(VirtualTable.Selected, "#offered")
    def _ask(self) -> None:
        """An earlier export gives way at the second enter only."""
        if not self._typed:
            self._say(shown("✗ no folder", "bold"))
            return
        kind, checkpoint = self._chosen
        to = (self._project / expanded(self._typed)).resolve()
        again = self._replaces == to
        try:
            require_free(to, self._run, replace=True)
        except WorkbenchError as error:
            self._say(shown(f"✗ {error}", "bold"))
            return
        if holds_export(to) and not again:
            self._say(shown("! there is an export already: enter again replaces it", "bold"))
            self._replaces = to
            return
        project, run = self._project, self._run.folder
        self.dismiss(
            ExportRequest(project=project, run=run, step=checkpoint.step, kind=kind, to=to, replace=again)
        )

    def _say(self, text: Text) -> None:
        self._replaces = None
        self.query_one("#export-said", Static).update(text)

    def action_move(self, rows: int) -> None:
        """Up or down in the list."""
        self.query_one("#offered", VirtualTable).action_move(rows)

    def action_leave(self) -> None:
        """Nothing is exported."""
        self.dismiss(None)
