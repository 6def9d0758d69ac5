"""Add a source: a path, what its rows look like, and the table that goes into project.toml."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.project.paths import HUB, expanded
from workbench.project.store import OpenProject, add_sources
from workbench.ui.panes.data.proposal_text import proposal_text
from workbench.ui.text import clean, shown
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.detect.many_files import Proposed

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt")
PACKED = (".gz", ".zst")
LISTED = 200
LOOKED_AT = 5000
"""Entries of the project folder that are looked at for the list: it is a help, not a search."""
OWN_FOLDERS = ("runs", "chats", "queue", "templates")


class AddSource(Dialog[OpenProject | None]):
    """Answers the project with its new source, None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("w", "write", show=False),
        Binding("e", "edit", show=False),
    ]

    def __init__(self, project: OpenProject) -> None:
        super().__init__()
        self.project = project
        self.proposed: Proposed | None = None
        self.files: list[str] = []

    def compose(self) -> ComposeResult:
        """The path, files to pick from, then in their place the proposal."""
        with Vertical(id="add-source"):
            yield Static("Add a source", classes="heading")
            yield Input(placeholder="a file, a folder, a glob, or hub:owner/name; ~ is home", compact=True)
            yield Static(id="add-fault")
            yield VirtualTable([Column("files of the project", 1.0)], lambda row: [clean(self.files[row])])
            with VerticalScroll(id="proposal", can_focus=True):
                yield Static(id="proposed")
            yield Static(classes="dialog-keys", id="add-keys")

    def on_mount(self) -> None:
        """The list comes when it is read."""
        self.query_one(VirtualTable).can_focus = False
        self._edit()
        self._list()

    @work(thread=True, exit_on_error=False)
    def _list(self) -> None:
        files = data_files(self.project.folder)
        self.app.call_from_thread(self._show_files, files)

    def _show_files(self, files: list[str]) -> None:
        self.files = files
        self.query_one(VirtualTable).set_row_count(len(files))

    def _edit(self) -> None:
        """Typing a path again."""
        self.proposed = None
        self.query_one("#proposal").display = False
        self.query_one(VirtualTable).display = True
        self._say("")
        self._keys("enter looks at it   ↑ ↓ pick a file   esc leaves")
        self.query_one(Input).focus()

    def _say(self, fault: str | Text) -> None:
        line = self.query_one("#add-fault", Static)
        line.update(fault)
        line.display = bool(fault)

    def _keys(self, text: str) -> None:
        self.query_one("#add-keys", Static).update(text)

    # Looking at the file

    @on(Input.Changed)
    def _typing(self) -> None:
        self._say("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        path = event.value.strip()
        if not path:
            self._say(Text("! type a path, or pick a file with ↑ ↓", "bold"))
            return
        self._say("reading its first rows…")
        # The field shows a picked name as `clean` makes it
        self._propose(next((file for file in self.files if clean(file) == path), path))

    @work(thread=True, exclusive=True, group="propose", exit_on_error=False)
    def _propose(self, path: str) -> None:
        """Reading may take seconds: never in the event loop."""
        from workbench.data.detect.many_files import propose_all

        worker = get_current_worker()
        try:
            # A relative path is seen from the project, as in project.toml
            seen = Path(path) if path.startswith(HUB) else self.project.folder / expanded(path)
            proposed = propose_all([seen], among_others=bool(self.project.settings.data.source))
        except WorkbenchError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._say, shown(f"! {error}", "bold"))
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, proposed)

    def _show(self, proposed: "Proposed") -> None:
        if not self.is_attached:
            return
        self.proposed = proposed
        self._say("")
        self.query_one("#proposed", Static).update(proposal_text(proposed, self.project.folder))
        self.query_one(VirtualTable).display = False
        scroll = self.query_one("#proposal", VerticalScroll)
        scroll.display = True
        scroll.scroll_home(animate=False)
        scroll.focus()
        many = len(proposed.proposals)
        what = "it" if many == 1 else f"these {many} sources"
        self._keys(f"w writes {what} to project.toml   e another path   esc leaves")

    # Keys

    def action_move(self, rows: int) -> None:
        """In the list, which writes the path; in the proposal, by lines."""
        if self.proposed:
            self.query_one("#proposal").scroll_relative(y=rows, animate=False)
            return
        table, field = self.query_one(VirtualTable), self.query_one(Input)
        if self.files:
            picked = field.value == clean(self.files[table.cursor])
            table.move_to(table.cursor + rows if picked else table.cursor)
            field.value = clean(self.files[table.cursor])
            field.cursor_position = len(field.value)

    def action_write(self) -> None:
        """Write the tables and go."""
        if self.proposed:
            try:
                saved = add_sources(self.project, [each.table for each in self.proposed.proposals])
            except WorkbenchError as error:
                self._say(shown(f"! {error}", "bold"))
                return
            self.dismiss(saved)

    def action_edit(self) -> None:
        """Another path."""
        self._edit()

    def action_leave(self) -> None:
        """Add nothing."""
        self.dismiss(None)


def data_files(folder: Path) -> list[str]:
    """Files of a project that may be data, as paths inside it, sorted; the first LISTED of them."""
    found: list[str] = []
    waiting, seen = [folder], 0
    while waiting and seen < LOOKED_AT and len(found) < LISTED:
        here = waiting.pop(0)
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if not entry.is_symlink() and not (here == folder and entry.name in OWN_FOLDERS):
                    waiting.append(entry)
            elif _is_data(entry):
                found.append(entry.relative_to(folder).as_posix())
    return found[:LISTED]


def _is_data(file: Path) -> bool:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in SUFFIXES
