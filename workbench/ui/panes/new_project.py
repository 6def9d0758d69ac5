"""A new project: a data file, a base model and a name; then how the rows are read, before it is made."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import EMBEDDED, cached_models
from workbench.project.paths import HUB, expanded
from workbench.ui.panes.data.add import data_files
from workbench.ui.panes.data.proposal_text import proposal_text
from workbench.ui.text import clean, shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.detect.many_files import Proposed

NOT_HERE = "It is not on this machine yet: a run fetches it when it starts, `workbench fetch {}` now."


class NewProjectDialog(Dialog[Path | None]):
    """Answers the folder of the project that was made, None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("w", "write", show=False),
        Binding("e", "edit", show=False),
    ]

    def __init__(self, root: Path) -> None:
        """`root`: the folder of projects, where the new one goes."""
        super().__init__()
        self.root = root
        self.proposed: Proposed | None = None
        self.offered: dict[str, list[str]] = {"data": [], "base": [EMBEDDED], "name": []}
        self._field = "data"
        self._named = ""
        self._writing = False

    def compose(self) -> ComposeResult:
        """Three fields, what may be picked for the one that has the keys; then in its place the proposal."""
        with Vertical(id="new-project"):
            yield Static("New project", classes="heading")
            for name, label, placeholder in (
                ("data", "data", "a file, a folder, a glob, or hub:owner/name; empty for none"),
                ("base", "base model", "a hub id or a folder; empty for `embedded`, which comes along"),
                ("name", "name", "of its folder; empty for that of the data file"),
            ):
                yield Static(label, classes="label")
                yield Input(placeholder=placeholder, compact=True, id=f"new-{name}")
            yield Static(id="new-fault")
            yield VirtualTable([Column("to pick from", 1.0)], self._cells)
            with VerticalScroll(id="proposal", can_focus=True):
                yield Static(id="proposed")
            yield Static(classes="dialog-keys", id="new-keys")

    def on_mount(self) -> None:
        """The lists come when they are read."""
        self.query_one(VirtualTable).can_focus = False
        self.action_edit()
        self._list()

    @work(thread=True, exit_on_error=False)
    def _list(self) -> None:
        files, models = data_files(Path.cwd()), cached_models()
        self.app.call_from_thread(self._take_lists, files, models)

    def _take_lists(self, files: list[str], models: list[str]) -> None:
        self.offered |= {"data": files, "base": [EMBEDDED, *models]}
        self._offer()

    # Fields

    def _cells(self, row: int) -> list[str]:
        return [clean(self.offered[self._field][row])]

    def _input(self, name: str) -> Input:
        return self.query_one(f"#new-{name}", Input)

    def _typed(self, name: str) -> str:
        """A picked name may hold what the field shows as signs."""
        typed = self._input(name).value.strip()
        return next((each for each in self.offered[name] if clean(each) == typed), typed)

    @property
    def base(self) -> str:
        """The base model that is asked for."""
        return self._typed("base") or EMBEDDED

    @property
    def folder(self) -> Path:
        """Where the project goes. Raises WorkbenchError when its name is none."""
        data = self._typed("data")
        name = self._typed("name") or Path(data.removeprefix(HUB)).name.split(".")[0] or "my-project"
        if name in (".", "..") or "/" in name or "\0" in name:
            raise fault("the name is that of a folder, without a /", repr(name))
        if (self.root / name).exists():
            raise fault("there is something already", self.root / name, "choose another name")
        return self.root / name

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The list is that of the field with the keys."""
        if isinstance(event.widget, Input) and event.widget.id:
            self._field = event.widget.id.removeprefix("new-")
            self._offer()

    def _offer(self) -> None:
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.offered[self._field]))
        table.move_to(0)
        table.refresh_rows()

    def action_edit(self) -> None:
        """Typing again."""
        self.proposed = None
        self.query_one("#proposal").display = False
        self.query_one(VirtualTable).display = True
        self._say("")
        self._keys("enter goes on   tab next field   ↑ ↓ pick from the list   esc leaves")
        self._input("data").focus()

    def _say(self, text: str | Text) -> None:
        line = self.query_one("#new-fault", Static)
        line.update(text)
        line.display = bool(text)

    def _tell(self, error: WorkbenchError) -> None:
        self._writing = False
        self._say(shown(f"! {error}", "bold"))

    def _keys(self, text: str) -> None:
        self.query_one("#new-keys", Static).update(text)

    @on(Input.Changed)
    def _typing(self) -> None:
        self._say("")

    # Looking at the data

    @on(Input.Submitted)
    def _submitted(self) -> None:
        try:
            folder = self.folder
        except WorkbenchError as error:
            self._tell(error)
            return
        self._say("looking at the data and the base model…")
        self._look(self._typed("data"), self.base, folder)

    @work(thread=True, exclusive=True, group="propose", exit_on_error=False)
    def _look(self, data: str, base: str, folder: Path) -> None:
        """Reading may take seconds: never in the event loop."""
        from workbench.data.detect.many_files import propose_all
        from workbench.project.base_model import locate, reads_as_hub_id

        worker, remark = get_current_worker(), ""
        try:
            proposed = propose_all(_files(data))
            try:
                locate(base, Path.cwd(), weights=False)
            except WorkbenchError:
                if not reads_as_hub_id(base) or Path(base).is_dir():
                    raise
                remark = NOT_HERE.format(base)
        except WorkbenchError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._tell, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, proposed, folder, remark)

    def _show(self, proposed: "Proposed", folder: Path, remark: str) -> None:
        if not self.is_attached:
            return
        self.proposed = proposed
        self._say("")
        text = Text.assemble(shown(f"{folder}\n", "bold"), shown(f"base model {self.base}\n"))
        if remark:
            text.append_text(shown(f"~ {remark}\n"))
        text.append("\n")
        if proposed.proposals:
            text.append_text(proposal_text(proposed, folder))
        else:
            text.append("No rows yet: a in the data pane adds a file, or write a [[data.source]] yourself.")
        self.query_one("#proposed", Static).update(text)
        self.query_one(VirtualTable).display = False
        scroll = self.query_one("#proposal", VerticalScroll)
        scroll.display = True
        scroll.scroll_home(animate=False)
        scroll.focus()
        self._keys("w makes the project   e change something   esc leaves")

    # Making it

    def action_write(self) -> None:
        """Make it and go."""
        if self.proposed and not self._writing:
            try:
                folder = self.folder
            except WorkbenchError as error:
                self._tell(error)
                return
            self._writing = True
            self._write(folder, self._typed("data"), self.base)

    @work(thread=True, exclusive=True, group="propose", exit_on_error=False)
    def _write(self, folder: Path, data: str, base: str) -> None:
        from workbench.prompts.scaffold import new_project

        try:
            new_project(folder, _files(data), base)
        except WorkbenchError as error:
            self.app.call_from_thread(self._tell, error)
        else:
            self.app.call_from_thread(self.dismiss, folder)

    # Keys

    def action_move(self, rows: int) -> None:
        """In the list, which writes the field; in the proposal, by lines."""
        if self.proposed:
            self.query_one("#proposal").scroll_relative(y=rows, animate=False)
            return
        offered, field = self.offered[self._field], self._input(self._field)
        table = self.query_one(VirtualTable)
        if offered:
            picked = field.value == clean(offered[table.cursor])
            table.move_to(table.cursor + rows if picked else table.cursor)
            field.value = clean(offered[table.cursor])
            field.cursor_position = len(field.value)

    def action_leave(self) -> None:
        """Make nothing."""
        self.dismiss(None)


def _files(data: str) -> list[Path]:
    """What was typed, seen from the working directory."""
    return [Path(data) if data.startswith(HUB) else expanded(data)] if data else []
