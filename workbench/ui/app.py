"""The app: one frame, five panes that are made when first shown, and the keys that work everywhere."""

import asyncio
import signal
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import ContentSwitcher
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.ui.actions import ACTIONS, Action, actions, bindings
from workbench.ui.frame import KeyBar, TopLine
from workbench.ui.panes.base import Pane
from workbench.ui.text import clean_lines, guard_terminal
from workbench.ui.theme import DARK, LIGHT, remember_theme, remembered_theme

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.runs.folder import Run
    from workbench.runs.queue.entries import Queue
    from workbench.ui.ending import RunWatch
    from workbench.ui.workspace import Workspace

# Imports inside functions are those that the first frame does not need: pydantic alone costs 70 ms.

PANES = {"data": "Data", "prompt": "Prompt", "setup": "Setup", "train": "Train", "chat": "Chat"}
STATE_SECONDS = 2.0
NO_PROJECT = "no project is open: p opens one, or begins one; f5 reads this one again"
NEW_PROJECT = "+ a new project…"


class WorkbenchApp(App[None]):
    """A person's desk on a folder of projects."""

    TITLE = "workbench"
    CSS_PATH = ["widgets/widgets.tcss", "app.tcss"]
    BINDINGS = bindings("app")
    COMMANDS: ClassVar[set[Any]] = set()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (44, "-high")]

    def __init__(self, path: Path, *, tour: bool = False) -> None:
        """
        Args:
            path: a project, or a folder of projects, which may be missing.
            tour: begin the tour as soon as a project is open.
        """
        super().__init__()
        path = path.expanduser().absolute()
        self.path = path.parent if path.is_file() else path
        self.place = ""
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
        """Open the project that `path` names, or the first of that folder; without one, offer some."""
        from workbench.project.store import find_projects

        if found := find_projects(self.path):
            await self.open(found[0])
        else:
            await self.show_welcome()

    async def open(self, folder: Path) -> None:
        """Open a project and show it: its running training if there is one, else its data."""
        from workbench.project.store import open_project
        from workbench.ui.workspace import Workspace

        self._chosen = folder
        try:
            workspace = Workspace(open_project(folder))
        except WorkbenchError as error:
            await self.show_problems(error)
            return
        await self._clear()
        self._workspace = workspace
        self.desk.query_one(TopLine).project = workspace.project.name
        await self.show("train" if self.look_at_runs() else "data")
        if self._tour:
            self._tour = False
            await self.do_tour()

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
        self.desk.query_one(TopLine).project = project.name

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
    def desk(self) -> Screen[Any]:
        """The screen with the panes; help or a question may lie on top of it."""
        return self.screen_stack[0]

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

    def look_at_runs(self) -> bool:
        """Say in the top line what goes on in this project, and as a notice which run has ended.

        Returns:
            Whether a run of this project goes on.
        """
        # A first tick may come before there is a project, a last one while the app closes
        if not self.screen_stack or not self.desk.query(TopLine):
            return False
        if self._workspace is None and not self._begun:
            return False
        from workbench.runs.queue.entries import Queue, is_working

        going, ended = self._watch.look(self._workspace)
        for run in ended:
            self._read_end(run)
        queue = Queue(self._workspace.project.folder) if self._workspace else None
        if queue is not None and not is_working(queue):
            queue = None
        if going or queue:
            self._read_running(going[0] if going else None, queue)
        else:
            self._tell_running("")
        return bool(going)

    @cached_property
    def _watch(self) -> "RunWatch":
        from workbench.ui.ending import RunWatch

        return RunWatch()

    @work(thread=True, group="running", exclusive=True, exit_on_error=False)
    def _read_running(self, run: "Run | None", queue: "Queue | None") -> None:
        """The first look at a long log takes a while: never in the event loop."""
        from workbench.runs.queue.entries import Turn, read_queue
        from workbench.runs.status import State, read_status

        worker, steps, paused, waiting = get_current_worker(), "", False, None
        if run is not None and (status := read_status(run)).going:
            steps, paused = f"{status.step}/{status.total_steps or '?'}", status.state is State.PAUSED
        if queue is not None:
            waiting = sum(place.turn is Turn.WAITING for place in read_queue(queue))
        if not worker.is_cancelled:
            self.call_from_thread(self._tell_running, steps, paused, waiting)

    def _tell_running(self, steps: str, paused: bool = False, waiting: int | None = None) -> None:
        if not self.screen_stack:  # the app closes
            return
        for line in self.desk.query(TopLine):
            line.running, line.paused, line.waiting = steps, paused, waiting
        self.refresh_keys()

    @work(thread=True, group="ended", exit_on_error=False)
    def _read_end(self, run: "Run") -> None:
        """tmux is asked too: never in the event loop."""
        from workbench.runs.status import read_status
        from workbench.ui.ending import call, told

        status = read_status(run)
        if status.going:  # resumed meanwhile
            return
        text, severity = told(run, status)
        self.call_from_thread(self._tell_end, text, severity, call(text))

    def _tell_end(self, text: str, severity: str, sequence: str) -> None:
        self.notify(clean_lines(text), title="A run has ended", severity=severity, timeout=12, markup=False)  # type: ignore[arg-type]
        if self._driver is not None:
            self._driver.write(sequence)

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

    async def do_reload(self) -> None:
        """Read the project again, from its file and its data."""
        if self._workspace is None:
            await (self.open(self._chosen) if self._chosen else self.open_first())
            return
        from workbench.project.store import open_project

        try:
            self.project_changed(open_project(self.workspace.project.folder))
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
        self.notify(clean_lines(text), severity=severity, markup=False)  # type: ignore[arg-type]

    def tell(self, error: WorkbenchError) -> None:
        """Every problem of an error as a notice that stays long enough to be read."""
        self.notify(
            clean_lines(str(error)), title="That did not work", severity="error", timeout=12, markup=False
        )
