"""What all panes share: keys from the registry, and a refused key that says why."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.containers import Vertical
from textual.worker import Worker, WorkerState

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.ui.app import WorkbenchApp
    from workbench.ui.workspace import Workspace


class Acting(Vertical):
    """A part of the screen with actions of the registry: subclasses write `do_<name>` for each of them."""

    @property
    def workbench(self) -> "WorkbenchApp":
        """The app, typed."""
        return cast("WorkbenchApp", self.app)

    @property
    def workspace(self) -> "Workspace":
        """The open project and what was read from it."""
        return self.workbench.workspace

    def why_not(self, name: str) -> str | None:
        """The reason why an action is refused just now; None when it works."""
        return None

    async def action_do(self, name: str) -> None:
        """Carry out an action of the registry, or say why not; a fault of the input becomes a notice."""
        if reason := self.why_not(name):
            self.workbench.say(reason, "warning")
            return
        with self.telling():
            outcome = getattr(self, f"do_{name}")()
            if isawaitable(outcome):
                await outcome

    @contextmanager
    def telling(self) -> Iterator[None]:
        """A fault of the input inside becomes a notice."""
        try:
            yield
        except WorkbenchError as error:
            self.workbench.tell(error)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A fault in a worker thread takes neither the app with it nor goes unsaid."""
        if event.state is WorkerState.ERROR and self.is_attached:
            error = event.worker.error
            if isinstance(error, WorkbenchError):
                self.workbench.tell(error)
            else:
                self.workbench.say(f"{type(error).__name__}: {error}", "error")


class Pane(Acting, can_focus=True):
    """A place of the screen."""

    PLACE: ClassVar[str]

    @property
    def in_view(self) -> bool:
        """This is the pane that is shown."""
        return self.workbench.place == self.PLACE

    @property
    def places(self) -> dict[str, str]:
        """Places of the registry whose actions work in this pane now, each with its heading in the help."""
        return {self.PLACE: self.PLACE.title()}

    def would_lose(self) -> str | None:
        """What leaving the app now would lose; None for nothing."""
        return None

    def came_into_view(self) -> None:
        """Called each time the pane is shown, and when the project changed while it is shown."""
