"""Runs that wait for their turn and what became of them; below, what the newest sweep came to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.runs.folder import Run
from workbench.runs.queue.entries import Entry, Place, Queue, Turn, enqueue, is_working, read_queue, remove
from workbench.ui.actions import bindings
from workbench.ui.panes.train.sweep import SweepTable
from workbench.ui.panes.train.view import TrainView
from workbench.ui.text import counted, shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.runs.sweep.store import Result, Sweep

LOOK_SECONDS = 2.0
SIGNS = {
    Turn.WAITING: "○",
    Turn.RUNNING: "●",
    Turn.INTERRUPTED: "☠",
    Turn.FINISHED: "✓",
    Turn.STOPPED: "■",
    Turn.FAILED: "✗",
    Turn.REFUSED: "!",
}


@dataclass(frozen=True)
class Seen:
    """The queue at one moment.

    Attributes:
        waits_for: what keeps its worker from going on.
        sweeps: by their ids, the newest first.
        results: of the newest.
    """

    places: list[Place]
    working: bool
    waits_for: str
    sweeps: "dict[str, Sweep]"
    results: "list[Result]"


class QueueView(TrainView):
    """What `workbench queue` and `workbench sweep` list and do."""

    NAME = "queue"
    BINDINGS = bindings("train.queue")

    def compose(self) -> ComposeResult:
        """State of the worker, entries, the chosen one in full, the newest sweep."""
        yield Static("Looking…", id="queue-said")
        columns = [
            Column("", 3, right=True),
            Column("", 1),
            Column("state", 11),
            Column("settings", 1.0),
            Column("run", 1.0),
        ]
        yield VirtualTable(columns, self._cells, id="entries")
        yield Static(id="entry")
        yield SweepTable(id="sweep")

    def on_mount(self) -> None:
        """Look again while it is in view."""
        self.seen: Seen | None = None
        self.set_interval(LOOK_SECONDS, self.look)

    def came_into_view(self) -> None:
        """Keys go to the entries."""
        self.query_one("#entries").focus()
        self.look()

    # Reading

    def look(self) -> None:
        """Read the queue, if it is in view."""
        if self.in_view:
            self._read(Queue(self.workspace.project.folder))

    @work(thread=True, exclusive=True, group="queue", exit_on_error=False)
    def _read(self, queue: Queue) -> None:
        """States of runs are read from their logs: never in the event loop."""
        from workbench.runs.queue.journal import read_journal
        from workbench.runs.sweep.store import list_sweeps, results

        worker = get_current_worker()
        working = is_working(queue)
        sweeps = list_sweeps(queue)
        seen = Seen(
            read_queue(queue),
            working,
            read_journal(queue.journal).hindrance if working else "",
            {sweep.id: sweep for sweep in sweeps},
            results(queue, sweeps[0]) if sweeps else [],
        )
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, queue, seen)

    def _show(self, queue: Queue, seen: Seen) -> None:
        if queue.project_folder != self.workspace.project.folder:
            return
        self.seen = seen
        waiting = sum(place.turn is Turn.WAITING for place in seen.places)
        state = "● being worked off" if seen.working else "○ not being worked off"
        if seen.working and queue.stop.exists():
            state = "■ begins nothing new"
        said = Text.assemble((state, "bold"), f"   {waiting} wait" + ("s" if waiting == 1 else ""))
        if not seen.places:
            said.append("   a puts a run in, v several")
        elif waiting and not seen.working:
            said.append("   s works them off, one after another")
        if seen.waits_for:
            said.append_text(shown(f"\n! {seen.waits_for}"))
        self.query_one("#queue-said", Static).update(said)
        table = self.query_one("#entries", VirtualTable)
        table.set_row_count(len(seen.places))
        table.refresh_rows()
        self.query_one(SweepTable).show(next(iter(seen.sweeps.values()), None), seen.results)
        self._tell()
        self.workbench.refresh_keys()

    def _cells(self, row: int) -> list[str]:
        assert self.seen is not None
        place = self.seen.places[row]
        end = f"{place.run.id if place.run else ''}  {place.reason}".strip()
        settings = self._in_short(place.entry) or "project.toml"
        return [str(place.entry.number), SIGNS[place.turn], place.turn.value, settings, end]

    def _in_short(self, entry: Entry) -> str:
        """What its sweep varies comes first: a narrow column shows no more than that."""
        assert self.seen is not None
        sweep = self.seen.sweeps.get(entry.sweep)
        short = {key: f"{key.rpartition('.')[2]}={value}" for key, value in entry.overrides.items()}
        varied = [short.pop(key) for key in (sweep.keys if sweep else ()) if key in short]
        return " ".join([*varied, *([entry.profile] if entry.profile else []), *short.values()])

    def _tell(self) -> None:
        """The chosen entry in full."""
        text, place = Text(), self._place
        if place is not None:
            text.append_text(shown(place.settings or "the settings of project.toml"))
            if place.reason:
                text.append_text(shown(f"\n{place.reason}", "bold"))
        line = self.query_one("#entry", Static)
        line.update(text)
        line.display = bool(text)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._tell()
        self.workbench.refresh_keys()

    @on(DescendantFocus)
    def _other_table(self) -> None:
        """What can be opened or taken out is another one."""
        self.workbench.refresh_keys()

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open")

    @property
    def _place(self) -> Place | None:
        """The entry under the cursor."""
        row = self.query_one("#entries", VirtualTable).cursor
        return self.seen.places[row] if self.seen and row < len(self.seen.places) else None

    def chosen_run(self) -> Run | None:
        """That of the entry, or of the sweep's row, where the keys go."""
        place = self._place
        sweep = self.query_one(SweepTable)
        return sweep.chosen_run() if sweep.has_keys else place.run if place else None

    # Actions

    def why_not(self, name: str) -> str | None:
        """An entry that waits can be taken out, one that began can be opened."""
        if name in ("back", "add", "sweep"):
            return None
        if self.seen is None:
            return "the queue is being read"
        if name == "open" and self.chosen_run() is None:
            return "this one has no run yet"
        if name == "remove":
            if self.query_one(SweepTable).has_keys:
                return "tab goes to the entries of the queue first"
            if self._place is None:
                return "nothing is in the queue"
            if self._place.turn is not Turn.WAITING:
                return f"this entry does not wait any more: it is {self._place.turn.value}"
        if name == "work" and not self.seen.working:
            coming = (Turn.WAITING, Turn.INTERRUPTED)
            if not any(place.turn in coming for place in self.seen.places):
                return "nothing waits: a puts a run in"
        return None

    def do_add(self) -> None:
        """A run with the project's settings as they are saved."""
        entry = enqueue(self.workspace.project)
        self.workbench.say(f"entry {entry.number} waits; project.toml is read when its turn comes")
        self.look()

    def do_work(self) -> None:
        """Begin, or begin nothing new."""
        from workbench.runs.queue.worker import begin, halt

        queue = Queue(self.workspace.project.folder)
        if is_working(queue):
            halt(queue)
            self.workbench.say("begins nothing new; the run that goes on is left alone")
        else:
            begin(queue)
            self.workbench.say("works them off, also when this screen is closed")
        self.look()
        self.workbench.look_at_runs()

    def do_remove(self) -> None:
        """Take the entry out; it waits, so that nothing is lost but its place."""
        place = self._place
        assert place is not None
        remove(Queue(self.workspace.project.folder), place.entry.number)
        self.workbench.say(f"entry {place.entry.number} is taken out")
        self.look()

    def do_sweep(self) -> None:
        """Several runs at once, by what shall differ."""
        from workbench.ui.widgets.sweep_dialog import SweepDialog

        def queued(runs: int | None) -> None:
            if runs:
                self.workbench.say(f"{counted(runs, 'run')} to come: s works them off")
                self.look()

        project: OpenProject = self.workspace.project
        self.app.push_screen(SweepDialog(project), queued)
