"""Rows made from rows: how many can be made and by what, each beside its original, and `w` writes them."""

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static
from textual.worker import Worker, get_current_worker

from workbench.data.augment.output import PATH, edited
from workbench.data.example import Example
from workbench.errors import WorkbenchError
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.data.changes import step_text
from workbench.ui.panes.data.made_rows import counts, original, provenance, remarks_of, settings_line
from workbench.ui.panes.data.row_text import turns
from workbench.ui.panes.data.view import NO_SOURCE, DataView
from workbench.ui.text import clean, counted, shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.confirm import Confirm
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.augment.making import MadeRow
    from workbench.data.augment.project import Plan
    from workbench.project.store import OpenProject
    from workbench.ui.workspace import Workspace

AUTOMATIC = 5_000
"""Training rows up to which rows are made without being asked for, in a second or so: all of them are held in
memory, and the screen is slower while rows are made from many."""
PROGRESS_SECONDS = 0.25
BAR = 20
CELL_CHARACTERS = 400
"""More than any cell can show."""


class AugmentView(DataView):
    """The made rows with what they are made from, beside what was changed in the selected one."""

    NAME = "augment"
    BINDINGS = bindings("data.augment")

    def compose(self) -> ComposeResult:
        """Settings and figures, the made rows, the selected one."""
        yield Static(id="augment-notes")
        with Container(classes="split"):
            yield VirtualTable(
                [Column("from", 9, right=True), Column("made by", 0.45), Column("user", 0.55)],
                self._cells,
                id="made",
            )
            with VerticalScroll(classes="second", can_focus=False):
                yield Static(id="made-row")

    def on_mount(self) -> None:
        """Nothing is made yet."""
        self.planned: Plan | None = None
        self.error = ""
        self.share = 0.0
        self.edited = False
        self._for: Workspace | None = None
        self._making: Worker[None] | None = None
        self._tick = self.set_interval(PROGRESS_SECONDS, self._say, pause=True)

    def came_into_view(self) -> None:
        """Rows are made when they are looked at."""
        self.query_one(VirtualTable).focus()
        self.fill()

    def fill(self) -> None:
        """Begin anew when the project is another one; make rows once those of the sources are counted."""
        if self._for is not self.workspace:
            self._stop()
            self._for, self.planned, self.error = self.workspace, None, ""
            self._show()
        untouched = self._making is None and self.planned is None and not self.error
        if untouched and self.pane.view is self and self._is_quick:
            self._make()
        self._say()

    @property
    def _is_quick(self) -> bool:
        selected = self.workspace.selected
        return selected is not None and 0 < len(selected.sides["train"]) <= AUTOMATIC

    # Making, in a worker thread

    def _make(self) -> None:
        self.planned, self.error, self.share = None, "", 0.0
        self._show()
        self._tick.resume()
        self._making = self._plan(self.workspace)
        self._say()

    def _stop(self) -> None:
        if self._making:
            self._making.cancel()
        self._making = None
        self._tick.pause()

    @work(thread=True, exclusive=True, group="augment", exit_on_error=False)
    def _plan(self, workspace: "Workspace") -> None:
        from workbench.data.augment.project import plan

        worker = get_current_worker()

        def tell(share: float) -> None:
            if not worker.is_cancelled:
                self.share = share

        planned, error, by_hand = None, "", False
        try:
            planned = plan(workspace.project, progress=tell, cancelled=lambda: worker.is_cancelled)
            by_hand = edited(planned.path)
        except WorkbenchError as fault:
            error = str(fault)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._made, workspace, planned, error, by_hand)

    def _made(self, workspace: "Workspace", planned: "Plan | None", error: str, by_hand: bool) -> None:
        if workspace is not self._for or not self.is_attached:
            return
        self._making = None
        self._tick.pause()
        self.planned, self.error, self.edited = planned, error, by_hand
        self._show()
        self._say()
        self.workbench.refresh_keys()

    # What is shown

    @property
    def _rows(self) -> "list[MadeRow]":
        return self.planned.made.rows if self.planned else []

    def _say(self) -> None:
        """The lines above the rows."""
        text = shown(settings_line(self.workspace.project.settings.augmentation) + "\n")
        if self._making:
            text.append(f"making rows  {bar(self.share, BAR)} {self.share:.0%}")
        elif self.error:
            text.append_text(shown(f"✗ {self.error}", self.colour("red")))
        elif self.planned:
            text.append_text(counts(self.planned))
            if self.edited:
                text.append(f"\n! {PATH} was edited by hand", self.colour("yellow"))
            elif self.planned.added:
                text.append(f"\n{PATH} is a source already; w writes it anew")
            if found := remarks_of(self.workspace.project, self.planned):
                more = f"   o {len(found) - 1} more" if len(found) > 1 else ""
                text.append_text(shown(f"\n! {found[0]}{more}", self.colour("yellow")))
        elif not self.workspace.project.settings.data.source:
            text.append(NO_SOURCE)
        elif not self.workspace.selected:
            text.append("counting the rows of every source…")
        elif not self.workspace.selected.sides["train"]:
            text.append("no row is trained on: there is nothing to make rows from")
        else:
            trained = counted(len(self.workspace.selected.sides["train"]), "training row")
            text.append(f"m makes rows from {trained}; w writes them then")
        self.tell("#augment-notes", text)

    def _show(self) -> None:
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self._rows))
        table.refresh_rows()
        self._show_row(table.cursor)

    def _cells(self, number: int) -> list[str | Text]:
        made, planned = self._rows[number], self.planned
        assert planned
        origin = made.example.origin
        several = len(planned.sources) > 1
        name = f"{planned.numbers[origin.source] + 1}:{origin.row}" if several else f"{origin.row}"
        asked = [message.content for message in made.example.messages if message.role == "user"]
        return [name, clean("; ".join(made.by)), clean((asked or [""])[-1][:CELL_CHARACTERS])]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_row(event.row)

    def _show_row(self, number: int) -> None:
        text = Text()
        if self.planned and number < len(self._rows):
            made = self._rows[number]
            text = provenance(self.planned, made)
            before = original(self.workspace, self.planned, made)
            if isinstance(before, Example):
                red, green = self.colour("red"), self.colour("green")
                text.append_text(step_text(before, made.example, red, green))
            text.append("the whole row\n\n", "bold underline").append_text(turns(made.example))
        self.query_one("#made-row", Static).update(text)
        self.query_one(".second").scroll_home(animate=False)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rows have to be there."""
        if name == "stop":
            return None if self._making else "no rows are being made"
        if name == "change_settings":
            return None
        if self._making:
            return "the rows are still being made; esc stops that"
        if name == "make":
            return None if self.workspace.project.settings.data.source else NO_SOURCE
        if self.planned is None:
            return self.error or "no rows are made yet: m makes them"
        if name == "show_remarks":
            found = remarks_of(self.workspace.project, self.planned)
            return None if found else "there is nothing to remark: what was asked for can be made"
        if not self._rows:
            return "no row could be made; o says why, e changes what may be made"
        return None

    def do_make(self) -> None:
        """Make the rows again, in memory."""
        self._make()
        self.workbench.refresh_keys()

    def do_stop(self) -> None:
        """Make no more rows."""
        self._stop()
        self.error = "stopped; m makes the rows again"
        self._say()
        self.workbench.refresh_keys()

    def do_show_remarks(self) -> None:
        """All that is to be known of the made rows."""
        from workbench.ui.widgets.reading import Reading

        assert self.planned
        lines = [f"{line}\n" for line in remarks_of(self.workspace.project, self.planned)]
        self.app.push_screen(Reading("About the made rows", lines))

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_original")

    async def do_open_original(self) -> None:
        """The row that the selected one is made from, in the rows view."""
        assert self.planned
        origin = self._rows[self.query_one(VirtualTable).cursor].example.origin
        self.workspace.row = (self.planned.numbers[origin.source], origin.row)
        await self.pane.show("rows")

    def do_change_settings(self) -> None:
        """The form over `[augmentation]`; what it saves makes the rows anew."""
        from workbench.ui.panes.data.augment_settings import AugmentSettings

        def answered(changes: dict[str, Any] | None) -> None:
            if changes:
                with self.telling():
                    self.pane.change_project(save_settings(self.workspace.project, changes))
                    self.workbench.say(f"saved to {self.workspace.project.file}")

        self.app.push_screen(AugmentSettings(self.workspace.project), answered)

    # Writing

    def do_write(self) -> None:
        """Ask, then write the file and add its source."""
        workspace, planned = self.workspace, self.planned
        assert planned

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(workspace, planned, force=False)

        what = (
            "It is a source of the project already: the rows it holds are replaced."
            if planned.added
            else "It is added to project.toml as a source that is trained on and never held out."
        )
        question = f"Write {counted(len(planned.made.rows), 'made row')} to {PATH}?"
        self.app.push_screen(Confirm(question, what), answered)

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def _write(self, workspace: "Workspace", planned: "Plan", *, force: bool) -> None:
        from workbench.data.augment.project import carry_out

        if not force and edited(planned.path):
            self.app.call_from_thread(self._ask_again, workspace, planned)
        else:
            saved = carry_out(workspace.project, planned, force=force)
            self.app.call_from_thread(self._written, planned, saved)

    def _ask_again(self, workspace: "Workspace", planned: "Plan") -> None:
        """What a person wrote into the file is not lost by a single key."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(workspace, planned, force=True)

        consequence = (
            "It does not hold what was made: its changes are lost. To keep them, say no and give the "
            "file another name."
        )
        self.app.push_screen(
            Confirm(f"{PATH} was edited by hand. Write over it?", consequence, loses=True), answered
        )

    def _written(self, planned: "Plan", saved: "OpenProject") -> None:
        """The sources view shows what was written, as far as the same project is still open."""
        if not self.is_attached or saved.folder != self.workspace.project.folder:
            return
        own = (number for number in range(len(saved.settings.data.source)) if number not in planned.numbers)
        self.workspace.row = (next(own), 0)
        self.pane.change_project(saved)
        added = "its source is in project.toml already" if planned.added else "added as a source"
        self.workbench.say(f"{counted(len(planned.made.rows), 'row')} written to {PATH}; {added}")
        self.pane.call_later(self.pane.show, "sources")
