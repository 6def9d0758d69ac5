"""What is shown while there is no project: those that come along, and a new one of one's own."""

from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.project.examples import SMALL, copy_example, example_projects
from workbench.project.reading import find_projects
from workbench.project.store import open_project
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import shown
from workbench.ui.widgets.table import Column, VirtualTable

OWN = "your own data"
"""The last entry."""
OWN_ABOUT = "a project around a data file of yours, or an empty one"


class WelcomePane(Pane):
    """A list of projects to begin with; the chosen one is copied into the folder of projects and opened."""

    PLACE = "welcome"
    BINDINGS = bindings("welcome")

    def __init__(self, root: Path, before: Path | None, *, id: str) -> None:
        """
        Args:
            root: the folder of projects, which may be missing.
            before: the project to go back to, if one was open.
        """
        super().__init__(id=id)
        self.root, self.before = root, before
        self.examples = example_projects()

    def compose(self) -> ComposeResult:
        """What this is, the list, more about the chosen one."""
        what = "Begin a project" if self.before else f"There is no project in {self.root} yet"
        yield Static(
            Text.assemble(
                shown(what, "bold"),
                "\n",
                "enter opens a copy of the chosen one, n begins with your own data. "
                "Each runs on the small base model that comes along, without network and GPU.",
            )
        )
        names = max([len(OWN), *(len(example.name) for example in self.examples)])
        yield VirtualTable(
            [Column("project", names + 1), Column("what it is", 1.0)], self._cells, id="examples"
        )
        with VerticalScroll(id="about", can_focus=False):
            yield Static()

    def came_into_view(self) -> None:
        """Keys go to the list."""
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.examples) + 1)
        table.focus()
        self._tell(table.cursor)

    def _cells(self, row: int) -> list[str | Text]:
        if row == len(self.examples):
            return [OWN, OWN_ABOUT]
        return [self.examples[row].name, self.examples[row].about]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        self._tell(event.row)

    def _tell(self, row: int) -> None:
        if row == len(self.examples):
            text = Text("Asks for a data file, tells its shape from its rows, and shows how they are read.")
        else:
            example = self.examples[row]
            text = shown(f"{example.about}\n\ncopied to {self.root / example.name}")
        self.query_one("#about > Static", Static).update(text)

    # Actions

    def why_not(self, name: str) -> str | None:
        """There may be nothing to go back to."""
        return "there is no project to go back to" if name == "back" and self.before is None else None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open")

    async def do_open(self) -> None:
        """Copy the chosen one and open the copy; one that was copied before is opened as it is."""
        row = self.query_one(VirtualTable).cursor
        if row == len(self.examples):
            self.do_new()
            return
        name = self.examples[row].name
        copy = self.root / name
        there = find_projects(copy) == [copy]
        project = open_project(copy) if there else copy_example(name, copy)
        small = SMALL if SMALL in project.settings.profile else None
        await self.workbench.open(copy, small)
        if small:
            base = project.settings.model.base
            self.workbench.say(f"{base} wants a GPU: profile {small} lies over it, P changes that")

    def do_new(self) -> None:
        """Ask for data and base model."""
        from workbench.ui.panes.new_project import NewProjectDialog

        def made(folder: Path | None) -> None:
            if folder is not None:
                self.app.call_later(self.workbench.open, folder)

        self.app.push_screen(NewProjectDialog(self.root), made)

    async def do_back(self) -> None:
        """The project that was open before."""
        assert self.before is not None
        await self.workbench.open(self.before)
