"""The app: one frame, six panes that are made when first shown, and the keys that work everywhere."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.widgets import ContentSwitcher
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError, fault
from workbench.ui.actions import ACTIONS, Action, actions, bindings
from workbench.ui.frame import KeyBar, TopLine
from workbench.ui.panes.base import Pane
from workbench.ui.running import RunningApp
from workbench.ui.text import clean_lines, guard_terminal
from workbench.ui.theme import DARK, LIGHT, remember_theme, remembered_theme

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.ui.workspace import Workspace

# Imports inside functions are those that the first frame does not need: pydantic alone costs 70 ms.

PANES = {
    "data": "Data",
    "prompt": "Prompt",
    "setup": "Setup",
    "train": "Train",
    "evaluate": "Evaluate",
    "chat": "Chat",
}
STATE_SECONDS = 2.0
SAID_SECONDS = 3.5
"""A notice lies over the lower part of a pane: no longer than a line takes to be read."""
NO_PROJECT = "no project is open: p opens one, or begins one; f5 reads this one again"
NEW_PROJECT = "+ a new project…"


class WorkbenchApp(RunningApp):
    """A person's desk on a folder of projects."""

    TITLE = "workbench"
    CSS_PATH = ["widgets/widgets.tcss", "app.tcss"]
    BINDINGS = bindings("app")
    COMMANDS: ClassVar[set[Any]] = set()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (44, "-high")]

    def __init__(self, path: Path, profile: str | None = None, *, tour: bool = False) -> None:
        """
        Args:
            path: a project or a folder of projects, which may be missing.
            profile: what is laid over the first one that opens.
            tour: begin the tour as soon as a project is open.
        """
        super().__init__()
        path = path.expanduser().absolute()
        self.path = path.parent if path.is_file() else path
        self.place = ""
        self._profile = profile
        self._chosen: Path | None = None
        self._begun = False
        self._tour = tour
        self._workspace: Workspace | None = None
        self.animation_level = "none"
        self.theme = remembered_theme()

    def get_default_screen(self) -> Any:
        guard_terminal()
        return super().get_default_screen()

    def compose(self) -> ComposeResult:
        """The frame; panes come when they are shown."""
        keys = {
            action.name.removeprefix("show_"): action.key
            for action in ACTIONS
            if action.name.startswith("show_")
        }
        yield TopLine([(place, keys[place], title) for place, title in PANES.items()])
        yield ContentSwitcher(id="panes")
        yield KeyBar()

    async def on_mount(self) -> None:
        """Paint the frame first; the project is read after it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            # Without this a lost SSH connection kills the process before the chat engine is closed.
            loop.add_signal_handler(number, self.exit)
        self.set_interval(STATE_SECONDS, self.look_at_runs)
        self.desk.query_one(TopLine).project = self.path.name
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        try:
            await self.open_first()
        finally:
            self._begun = True

    # Projects

    async def open_first(self) -> None:
        """Open the project that `path` names, or the likeliest of that folder; without one, offer some."""
        from workbench.project.reading import find_projects, likeliest

        if found := find_projects(self.path):
            await self.open(likeliest(found), self._profile)
        else:
            await self.show_welcome()

    async def open(self, folder: Path, profile: str | None = None) -> None:
        """Open a project, with a profile laid over it, and show it: its running training if there is one,
        else its data."""
        from workbench.project.store import open_project
        from workbench.ui.workspace import Workspace

        self._chosen = folder
        try:
            workspace = Workspace(open_project(folder, profile))
        except WorkbenchError as error:
            await self.show_problems(error)
            return
        await self._clear()
        self._workspace = workspace
        self._name_project(workspace.project)
        await self.show("train" if self.look_at_runs() else "data")
        if profile is None and workspace.project.settings.profile:
            self._look_for_base(workspace.project)
        if self._tour:
            self._tour = False
            await self.do_tour()

    @work(thread=True, group="base", exclusive=True, exit_on_error=False)
    def _look_for_base(self, project: "OpenProject") -> None:
        """Say that a profile may help where the base model is not on this box."""
        from workbench.project.base_model import locate

        worker, base = get_current_worker(), project.settings.model.base
        try:
            locate(base, project.folder, weights=False)
        except WorkbenchError:
            names = ", ".join(project.settings.profile)
            text = f"{base} is not on this box. P lays a profile over the project: {names}"
            if not worker.is_cancelled:
                self.call_from_thread(self.say, text)

    @property
    def workspace(self) -> "Workspace":
        """The open project; panes exist only while there is one."""
        assert self._workspace is not None
        return self._workspace

    def project_changed(self, project: "OpenProject") -> None:
        """Everything read from the old project.toml is dropped; panes read again when they come into view."""
        from workbench.ui.workspace import Workspace

        row = self.workspace.row
        self._workspace = Workspace(project)
        self._workspace.row = row
        self._name_project(project)

    def _name_project(self, project: "OpenProject") -> None:
        """The profile stands beside the name: it may change everything."""
        over = f" · {project.profile}" if project.profile else ""
        self.desk.query_one(TopLine).project = project.name + over

    # Panes

    async def show(self, place: str) -> None:
        """Bring a pane into view; made and imported at its first showing."""
        switcher = self.desk.query_one("#panes", ContentSwitcher)
        if not switcher.query(f"#{place}"):
            kind = getattr(import_module(f"workbench.ui.panes.{place}"), f"{place.title()}Pane")
            await switcher.add_content(kind(id=place))
        switcher.current = place
        self.place = self.desk.query_one(TopLine).place = place
        pane = self.desk.query_one(f"#{place}", Pane)
        pane.came_into_view()
        self.refresh_keys()

    async def show_problems(self, error: WorkbenchError) -> None:
        """Show what is wrong with the project instead of its panes."""
        from workbench.ui.panes.problems import ProblemsPane

        await self._show_instead(ProblemsPane(error, id="problems"), (self._chosen or self.path).name)

    async def show_welcome(self) -> None:
        """Offer projects to begin with instead of the panes."""
        from workbench.ui.panes.welcome import WelcomePane

        root = self._root()
        await self._show_instead(WelcomePane(root, self._chosen, id="welcome"), root.name)

    async def _show_instead(self, pane: Pane, name: str) -> None:
        """Show something in place of a project's panes, under this name."""
        await self._clear()
        top, switcher = self.desk.query_one(TopLine), self.desk.query_one("#panes", ContentSwitcher)
        top.project, top.running, top.waiting = name, "", None
        await switcher.add_content(pane)
        switcher.current = self.place = top.place = pane.PLACE
        self.pane.came_into_view()
        self.refresh_keys()

    def _root(self) -> Path:
        """The folder of projects: what was opened, or what a project that was opened lies in."""
        from workbench.project.store import find_projects

        return self.path.parent if find_projects(self.path) == [self.path] else self.path

    async def _clear(self) -> None:
        """Take the panes of a project away; until others come, nothing is in view."""
        self._workspace, self.place = None, ""
        switcher = self.desk.query_one("#panes", ContentSwitcher)
        switcher.current = None  # a pane of the same name that comes later would stay hidden
        await switcher.remove_children()

    @property
    def pane(self) -> Pane:
        """The pane in view."""
        return self.desk.query_one(f"#{self.place}", Pane)

    def refresh_keys(self) -> None:
        """Bring the key bar up to date with what works now."""
        if self.place and self.desk.query(KeyBar):  # a last word may come while the app closes
            # The chat's form is seldom open: its keys stand in the help only
            places = [place for place in self.pane.places if place != "form" or self.place == "setup"]
            listed = [action for action in actions(*places) if action.bar]
            self.desk.query_one(KeyBar).keys = tuple(
                (action, action.place == "form" or self.pane.why_not(action.name) is None)
                for action in listed
            )

    # Actions of the registry

    async def action_do(self, name: str) -> None:
        """Carry out one of the actions that work everywhere."""
        if not self._begun:  # typed ahead, while there are no panes yet
            return
        try:
            if not name.startswith("show_"):
                await getattr(self, f"do_{name}")()
            elif self._workspace is not None:
                await self.show(name.removeprefix("show_"))
            else:
                self.say(NO_PROJECT, "warning")
        except WorkbenchError as error:
            self.tell(error)

    async def carry_out(self, action: Action) -> None:
        """Carry out an action chosen in the palette."""
        await (self if action.place == "app" else self.pane).action_do(action.name)

    async def do_help(self) -> None:
        """Help for the pane in view."""
        from workbench.ui.help import HelpScreen

        self.push_screen(HelpScreen(self.pane.places))

    async def do_switch_project(self) -> None:
        """Choose among the projects of the folder, or begin one."""
        from workbench.project.store import find_projects
        from workbench.ui.widgets.pick import Pick

        found = find_projects(self._root())
        names = [*(folder.name for folder in found), NEW_PROJECT]

        def chosen(index: int | None) -> None:
            if index == len(found):
                self._ask_before("Begin a project?", self.show_welcome)
            elif index is not None:
                self._ask_before(f"Open {found[index].name}?", partial(self.open, found[index]))

        here = found.index(self._chosen) if self._chosen in found else 0
        self.push_screen(Pick("Projects", names, chosen=here), chosen)

    async def do_choose_profile(self) -> None:
        """Choose which profile lies over the project."""
        from workbench.ui.widgets.pick import Pick

        if self._workspace is None:
            raise fault("no project is open", hint="p opens one")
        project = self.workspace.project
        names = list(project.settings.profile)
        if not names:
            raise fault("this project has no profiles", project.file, "a table [profile.NAME] makes one")

        def chosen(index: int | None) -> None:
            if index is not None:
                self.call_later(self._read_again, names[index - 1] if index else None)

        here = names.index(project.profile) + 1 if project.profile else 0
        self.push_screen(Pick("Profile laid over the project", ["none", *names], chosen=here), chosen)

    async def do_reload(self) -> None:
        """Read the project again, from its file and its data."""
        if self._workspace is None:
            await (self.open(self._chosen) if self._chosen else self.open_first())
            return
        await self._read_again(self.workspace.project.profile)

    async def _read_again(self, profile: str | None) -> None:
        """Read the open project anew with this profile over it; the pane in view stays."""
        from workbench.project.store import open_project

        try:
            self.project_changed(open_project(self.workspace.project.folder, profile))
        except WorkbenchError as error:
            if self.losses():
                raise
            await self.show_problems(error)
            return
        self.pane.came_into_view()
        self.say("read again")

    async def do_tour(self) -> None:
        """Walk through the panes."""
        if self._workspace is None:
            self.say(NO_PROJECT, "warning")
            return
        from workbench.ui.tour import TourScreen

        self.push_screen(TourScreen(PANES, self.place))

    async def do_theme(self) -> None:
        """Dark or light."""
        self.theme = DARK if self.theme == LIGHT else LIGHT
        if self.place:  # texts that hold colours are written anew
            self.call_after_refresh(self.pane.came_into_view)
        if not remember_theme(self.theme):
            self.say("this cannot be remembered: the state folder cannot be written", "warning")

    async def do_quit(self) -> None:
        """Leave; asks when a pane would lose something."""
        self._ask_before("Leave workbench?", self.exit)

    def losses(self) -> list[str]:
        """What the panes hold that is nowhere else."""
        return [loss for pane in self.desk.query(Pane) if (loss := pane.would_lose())]

    def _ask_before(self, question: str, then: Callable[[], Any]) -> None:
        """Do something that takes the panes away: at once when nothing is lost, else after a yes."""
        from workbench.ui.widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.call_later(then)

        if isinstance(self.screen, Confirm):
            return
        if losses := self.losses():
            self.push_screen(Confirm(question, f"Lost then: {'; '.join(losses)}", loses=True), answered)
        else:
            self.call_later(then)

    async def action_quit(self) -> None:
        """Textual's own ctrl+q goes the same way."""
        await self.action_do("quit")

    def action_command_palette(self) -> None:
        """The palette of the registry."""
        from textual.command import CommandPalette

        from workbench.ui.help import ActionProvider

        self.push_screen(CommandPalette(providers=[ActionProvider], placeholder="Search for an action…"))

    # Notices

    def say(self, text: str, severity: str = "information") -> None:
        """A notice; its text is never taken for markup."""
        self.notify(clean_lines(text), severity=severity, timeout=SAID_SECONDS, markup=False)  # type: ignore[arg-type]

    def tell(self, error: WorkbenchError) -> None:
        """Every problem of an error as a notice that stays long enough to be read."""
        self.notify(
            clean_lines(str(error)), title="That did not work", severity="error", timeout=12, markup=False
        )
