"""Works a project's queue off, one run at a time, in a process of its own.

It holds the queue's lock as long as it lives. A run that fails or is refused is written down, and the next
one begins; on a low disk, on a GPU that others hold, and while project.toml is broken, it waits; what was
interrupted, by a kill or a reboot, is resumed first.
"""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Protocol

from workbench.errors import WorkbenchError, fault
from workbench.project.store import OpenProject, open_project
from workbench.runs import lock
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, list_runs
from workbench.runs.launch import Argv, start
from workbench.runs.lock import is_held
from workbench.runs.preflight import LEAST_FREE_BYTES
from workbench.runs.queue.entries import Place, Queue, Turn, read_queue
from workbench.runs.queue.journal import read_journal
from workbench.runs.spawn import spawn, trainer_argv
from workbench.runs.status import State, read_status
from workbench.runs.sweep.halving import go_on

JOB = "workbench.machine.queue_job"
POLL_SECONDS = 0.5
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def begin(queue: Queue) -> None:
    """Start the worker in the background; it ends when nothing waits any more.

    One that is at it goes on, also when it was asked to stop.

    Raises:
        WorkbenchError: nothing waits, or it cannot be started.
    """
    if not any(place.turn in (Turn.WAITING, Turn.INTERRUPTED) for place in read_queue(queue)):
        raise fault("nothing waits", queue.id, "workbench queue PROJECT --add puts a run in")
    if is_held(queue):
        queue.stop.unlink(missing_ok=True)
        return
    held = lock.hold(queue)
    queue.stop.unlink(missing_ok=True)
    spawn(queue, [sys.executable, "-m", JOB, str(queue.project_folder)], held)


def halt(queue: Queue) -> None:
    """Ask the worker to begin nothing new; the run that goes on is left alone.

    Raises:
        WorkbenchError: no worker is at it.
    """
    if not is_held(queue):
        raise fault("it is not being worked off", queue.id)
    queue.stop.touch()


class Turns(Protocol):
    """Whose run may begin, among several queues."""

    def hindrance(self, project: OpenProject) -> str:
        """Why a run of it cannot begin yet; empty when it may."""

    def let_go(self) -> None:
        """It has begun, or will not: the next may."""


class Worker:
    """Works one queue off; `argv` makes the command that trains a run, `gpu` says when it may begin."""

    def __init__(
        self,
        queue: Queue,
        argv: Argv = trainer_argv,
        poll_seconds: float = POLL_SECONDS,
        gpu: Turns | None = None,
    ) -> None:
        self._queue = queue
        self._argv = argv
        self._poll = poll_seconds
        self._gpu = gpu
        self._stopping = False
        self._journal = EventWriter(queue.journal)

    def work(self) -> None:
        """Until nothing waits, or a stop is asked for."""
        self._tell_reboot()
        while not self._stopped() and (place := self._next()) is not None:
            if place.turn is Turn.RUNNING and place.run is not None:
                self._watch(place.entry.number, place.run)
            # While it waited the entry may have been taken out, or its run resumed by hand
            elif not (
                self._waited_for("another run of this project ends", self._others_run)
                or self._waited_for("the disk has room", self._disk_is_low)
                or self._waited_for("project.toml can be read", lambda: self._project_is_broken(place))
                or self._waited_for("the GPU has room", lambda: self._gpu_is_taken(place))
            ):
                self._train(place)
                self._let_go()
        self._let_go()

    def stop(self, number: int, frame: FrameType | None) -> None:
        """A signal handler: begin nothing new."""
        self._stopping = True

    def _next(self) -> Place | None:
        """What was interrupted goes first; sweeps that halve put their next rung in when all else is done."""
        while True:
            places = read_queue(self._queue)
            for turn in (Turn.RUNNING, Turn.INTERRUPTED, Turn.WAITING):
                if found := next((place for place in places if place.turn is turn), None):
                    return found
            try:
                if not go_on(self._queue, places):
                    return None
            except WorkbenchError as error:
                self._journal.write("pausing", reason=f"no next rung of a sweep: {error}")
                return None

    def _train(self, place: Place) -> None:
        number = place.entry.number
        told: list[Run] = []

        def tell(run: Run) -> list[str]:
            """Before its process lives: killed after that, the worker would train the entry once more."""
            self._journal.write("launched", entry=number, run=run.id, resumed=place.run is not None)
            told.append(run)
            return self._argv(run)

        try:
            project = open_project(self._queue.project_folder, place.entry.profile, place.entry.overrides)
            # One that was killed before it began has nothing to go on from, and starts where it stands
            run = start(project, resume=place.run, argv=tell)
            if not told:  # it waits in Slurm, where no process begins yet
                tell(run)
        except (WorkbenchError, OSError) as error:
            # Resumed by hand meanwhile, it is not refused: it goes on, or is over
            if place.run is None or read_status(place.run).state in (State.NEW, State.KILLED):
                self._journal.write("refused", entry=number, reason=str(error))
            return
        self._watch(number, run)

    def _watch(self, number: int, run: Run) -> None:
        """Until it ends, and write down how."""
        begun_at = read_status(run).step
        while is_held(run) or read_status(run).state is State.QUEUED:
            if read_status(run).step > begun_at:
                self._let_go()
            time.sleep(self._poll)
        status = read_status(run)
        # One that was killed under our eyes is not resumed: it would be killed again
        state = status.state.value if status.state in (State.FINISHED, State.STOPPED) else "failed"
        self._journal.write("ended", entry=number, run=run.id, state=state, reason=status.reason)

    def _waited_for(self, what: str, hinders: Callable[[], str]) -> bool:
        """Wait as long as something hinders, or until a stop; whether there was anything to wait for."""
        told = ""
        while not self._stopped() and (reason := hinders()):
            if reason != told:
                self._journal.write("pausing", reason=f"waits until {what}: {reason}")
                told = reason
            time.sleep(self._poll)
        return bool(told)

    def _others_run(self) -> str:
        own = [place.run for place in read_queue(self._queue) if place.turn is Turn.RUNNING]
        others = (run for run in list_runs(self._queue.project_folder) if run not in own and is_held(run))
        return next((run.id for run in others), "")

    def _disk_is_low(self) -> str:
        free = shutil.disk_usage(self._queue.folder).free
        return "" if free >= 2 * LEAST_FREE_BYTES else f"{free / 1e6:,.0f} MB are free"

    def _project_is_broken(self, place: Place) -> str:
        """While a person edits it; an entry whose own settings do not fit is refused instead."""
        folder, entry = self._queue.project_folder, place.entry
        problem = ""
        for profile, overrides in ((entry.profile, entry.overrides), (None, {})):
            try:
                open_project(folder, profile, overrides)
            except WorkbenchError as error:
                problem = str(error)
            else:
                return ""
        return problem

    def _gpu_is_taken(self, place: Place) -> str:
        if self._gpu is None:
            return ""
        try:
            entry = place.entry
            project = open_project(self._queue.project_folder, entry.profile, entry.overrides)
        except WorkbenchError:  # it is refused
            return ""
        return self._gpu.hindrance(project)

    def _let_go(self) -> None:
        if self._gpu is not None:
            self._gpu.let_go()

    def _stopped(self) -> bool:
        return self._stopping or self._queue.stop.exists()

    def _tell_reboot(self) -> None:
        """Each worker writes down the boot it lives in: where it is another one, the box was rebooted."""
        try:
            boot = BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return
        before = read_journal(self._queue.journal).boot or boot
        self._journal.write("working", boot=boot, rebooted=before != boot)
