"""What the app says of runs, whatever pane is in view: the one that goes on, the queue, those that end."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import App
from textual.screen import Screen
from textual.worker import get_current_worker

from workbench.ui.frame import TopLine
from workbench.ui.text import clean_lines

if TYPE_CHECKING:
    from workbench.runs.folder import Run
    from workbench.runs.queue.entries import Queue
    from workbench.ui.ending import RunWatch
    from workbench.ui.workspace import Workspace


class RunningApp(App[None]):
    """An app with a top line that tells of the runs of its project."""

    _workspace: "Workspace | None" = None
    _begun = False

    @property
    def desk(self) -> Screen[Any]:
        """The screen with the panes; help or a question may lie on top of it."""
        return self.screen_stack[0]

    def refresh_keys(self) -> None:
        """Bring the key bar up to date with what works now."""
        raise NotImplementedError

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
