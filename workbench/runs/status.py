"""The state of a run, and never an untrue one: RUNNING is the lock, everything else is what the log says.

PAUSED is both: the lock, and a log whose last word on it is that the run waits.
"""

import os
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from threading import Lock

from workbench.runs.events import Event, Position, parse
from workbench.runs.folder import Run
from workbench.runs.lock import is_held

_CHUNK_BYTES = 4 * 1024 * 1024
_RARE = re.compile(rb'"kind":"(?!step")')
_STEP = b'"kind":"step"'
_REMEMBERED_RUNS = 1000
_ENDS = ("finished", "stopped", "imported")


class State(StrEnum):
    """What a run is doing, or how it ended."""

    NEW = "new"
    """Created, never started."""
    QUEUED = "queued"
    """Handed to a batch system, and not begun there as far as its files tell."""
    RUNNING = "running"
    """A living process holds its lock."""
    PAUSED = "paused"
    """A living process holds its lock, and waits between two steps because somebody asked for it."""
    FINISHED = "finished"
    """All steps are done, or early stopping found no more to gain, which the reason tells then."""
    STOPPED = "stopped"
    """Ended before its last step because somebody asked for it."""
    FAILED = "failed"
    """Ended by an error, which the reason names."""
    KILLED = "killed"
    """Its process went away without a word."""
    IMPORTED = "imported"
    """Trained elsewhere: its curves alone are here."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where a run stands.

    Attributes:
        phase: what is being prepared; empty once steps are taken, and after the end.
        step: optimizer steps done, as last logged.
        total_steps: steps of the whole run; 0 before they are known.
        loss: training loss at the last point, in nats per token.
        validation_loss: of the last validation.
        best_step: step of the lowest validation loss.
        eta_seconds: time left at the pace of this attempt, from the last point on, pauses left out; None
            unless it is running.
        reason: why it ended, where that needs saying.
        attempt: how often steps began; 0 before the first.
        validates: it has validation rows, as far as is known.
        job: of a batch system, which it waits for.
    """

    state: State
    phase: str = ""
    step: int = 0
    total_steps: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    best_step: int | None = None
    best_loss: float | None = None
    eta_seconds: float | None = None
    reason: str = ""
    attempt: int = 0
    validates: bool = True
    job: int | None = None

    @property
    def going(self) -> bool:
        """A living process holds the run's lock."""
        return self.state in (State.RUNNING, State.PAUSED)


def read_status(run: Run) -> RunStatus:
    """The status of `run` now. Reads only what was logged since the last call for the same run."""
    # In this order: when the lock is free, the log has its last word
    held = is_held(run)
    digest = _digest_of(run.events)
    with digest.lock:
        digest.catch_up()
        return digest.status(held)


def last_word(run: Run) -> RunStatus:
    """How the run ended, from its log alone: for the holder of its lock, who would see RUNNING otherwise."""
    digest = _digest_of(run.events)
    with digest.lock:
        digest.catch_up()
        return digest.status(held=False)


def best_step(run: Run) -> int | None:
    """The step of the lowest validation loss so far; None before the first validation."""
    digest = _digest_of(run.events)
    with digest.lock:
        digest.catch_up()
        return digest.best_step


@lru_cache(maxsize=_REMEMBERED_RUNS)
def _digest_of(path: Path) -> "_Digest":
    return _Digest(path)


class _Digest:
    """What counts of an event log, kept up to date by reading its new lines.

    Step events are by far the most, and only the last of a piece matters, so the others are passed over
    without being parsed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._position = Position()
        self._ended: Event | None = None
        self._queued: Event | None = None
        self._phase = ""
        self._any = False
        self._step = 0
        self._total = 0
        self._attempt = 0
        self._paused = False
        self._validates = True
        self._loss: float | None = None
        self._validations: dict[int, float | None] = {}
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None

    def catch_up(self) -> None:
        """Read the lines that are new and whole."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._forget()
            return
        try:
            if not self._position.fits(file):
                self._forget()
            while True:
                piece = os.pread(file, _CHUNK_BYTES, self._position.offset)
                end = piece.rfind(b"\n") + 1
                if not end:
                    return
                self._position.advance(file, end)
                self._take(piece[:end])
        finally:
            os.close(file)

    def _take(self, piece: bytes) -> None:
        done = 0
        for match in _RARE.finditer(piece):
            self._take_steps(piece, done, match.start())
            done = match.end()
            self._take_line(piece, match.start())
        self._take_steps(piece, done, len(piece))

    def _take_steps(self, piece: bytes, start: int, end: int) -> None:
        """The first step of an attempt is where its pace is measured from; else the last one says it all."""
        if self._first is None and (first := piece.find(_STEP, start, end)) >= 0:
            self._take_line(piece, first)
        if (last := piece.rfind(_STEP, start, end)) >= 0:
            self._take_line(piece, last)

    def _take_line(self, piece: bytes, inside: int) -> None:
        start = piece.rfind(b"\n", 0, inside) + 1
        event = parse(piece[start : piece.index(b"\n", inside)])
        if event is not None:
            self._fold(event)

    def _fold(self, event: Event) -> None:
        self._any = True
        if event["kind"] in ("preparing", "started", "step", "ended"):
            self._queued = None
        match event["kind"]:
            case "queued":
                self._queued, self._phase, self._paused = event, "", False
            case "preparing":
                self._ended, self._phase, self._paused = None, str(event.get("phase", "")), False
                self._first = self._last = None
            case "started":
                self._ended, self._phase, self._paused = None, "", False
                self._validates = event.get("validation_rows") != 0
                self._first = self._last = None
                self._step = _whole(event.get("resumed_from"))
                # What was logged after the resume point does not count any more, a best validation neither
                kept = self._validations.items()
                self._validations = {step: loss for step, loss in kept if step <= self._step}
                self._total = _whole(event.get("total_steps"))
                self._attempt = _whole(event.get("attempt"))
            case "step":
                self._ended, self._phase = None, ""
                self._step, self._loss = _whole(event.get("step")), _number(event.get("loss"))
                self._last = self._step, _number(event.get("time")) or 0.0
                self._first = self._first or self._last
            case "paused":
                self._paused = True
                self._step = max(self._step, _whole(event.get("step")))
            case "continued":
                self._paused = False
                if self._first:
                    # A pause is no part of the pace
                    self._first = self._first[0], self._first[1] + (_number(event.get("seconds")) or 0.0)
            case "evaluated":
                self._validations[_whole(event.get("step"))] = _number(event.get("validation_loss"))
            case "ended":
                self._ended, self._phase, self._paused = event, "", False
                self._step = max(self._step, _whole(event.get("step")))

    @property
    def best_step(self) -> int | None:
        """The step of the lowest validation loss, the first of equals."""
        losses = {step: loss for step, loss in self._validations.items() if loss is not None and loss == loss}
        return min(losses, key=losses.__getitem__, default=None)

    def status(self, held: bool) -> RunStatus:
        """The status, given whether the lock is held."""
        state, reason = self._state(held)
        return RunStatus(
            state=state,
            phase=self._phase if state is State.RUNNING else "",
            step=self._step,
            total_steps=self._total,
            loss=self._loss,
            validation_loss=next(reversed(self._validations.values()), None),
            best_step=self.best_step,
            best_loss=self._validations.get(self.best_step) if self.best_step is not None else None,
            eta_seconds=self._eta() if state is State.RUNNING else None,
            reason=reason,
            attempt=self._attempt,
            validates=self._validates,
            job=_whole(self._queued.get("job")) if self._queued and not held else None,
        )

    def _state(self, held: bool) -> tuple[State, str]:
        if held:
            return (State.PAUSED if self._paused else State.RUNNING), ""
        if self._queued is not None:
            job, since = self._queued.get("job"), time.strftime("%H:%M", time.localtime(self._queued["time"]))
            return State.QUEUED, f"waiting in Slurm since {since}, job {job}: squeue -j {job} says more"
        if self._ended is not None:
            named = str(self._ended.get("state"))
            reason = str(self._ended.get("reason") or "")
            return (State(named) if named in _ENDS else State.FAILED), reason
        if self._any:
            return State.KILLED, "its process ended without a word: killed, out of memory, or a crash"
        return State.NEW, ""

    def _eta(self) -> float | None:
        if not self._first or not self._last or self._last[0] <= self._first[0] or not self._total:
            return None
        pace = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
        return max(0.0, pace * (self._total - self._last[0]))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
