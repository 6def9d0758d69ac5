"""Commands to a running run: a file each in its `control/` folder, taken up between two steps.

The file is `{"v": 1, "name": ..., "arguments": {...}}`; without arguments that key is left out.
"""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from workbench.errors import WorkbenchError, fault
from workbench.project.files import write_atomic
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.lock import hold, holder_pid, is_held
from workbench.runs.status import RunStatus, State, read_status

GRACE_SECONDS = 5.0
DEATH_SECONDS = 10.0
"""A killed process gives back tens of gigabytes first."""

POLL_SECONDS = 0.02

Name = Literal["stop", "checkpoint", "validate", "sample", "pause", "continue", "logging"]
"""What a run can be asked for. `logging` goes with `steps`, the new distance of points of the curve."""

NAMES: tuple[str, ...] = get_args(Name)


class Commanded(Protocol):
    """A run, or another job that takes commands."""

    @property
    def control(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Command:
    """What a run is asked for, with its arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


def send(run: Run, name: Name, **arguments: int) -> None:
    """Ask a run for something; it answers with a `command` event, after the step it is in.

    Raises:
        WorkbenchError: the run is not going on, it makes no sense now, or the disk does not take the command.
    """
    if reason := refusal(read_status(run), name):
        raise fault(reason, run.id)
    _write(run, name, arguments)


def refusal(status: RunStatus, name: Name) -> str:
    """Why a run in this state would not do it; empty when it would."""
    if status.job:
        return f"this run waits in Slurm as job {status.job}: workbench stop takes it out of the queue"
    if not status.going:
        return f"this run is not going on: it is {status.state.value}"
    if name == "validate" and not status.validates:
        return "this run has no validation rows"
    if name == "pause" and status.state is State.PAUSED:
        return "this run is paused already"
    return ""


def stop_now(run: Run, grace: float = GRACE_SECONDS) -> None:
    """End a run at once, without a checkpoint; returns when it has ended.

    It gets `grace` seconds to end by itself between two micro-batches, then its process is killed.

    Raises:
        WorkbenchError: the run is not going on, or its process is out of reach.
    """
    _require_running(run)
    with suppress(WorkbenchError):  # on a full disk only the kill is left
        _write(run, "stop-now")
    if _let_go(run, grace):
        return
    # While the lock is held its holder lives, so this number is still its own
    pid = holder_pid(run)
    if pid is not None:
        _kill(pid)
    if not _let_go(run, DEATH_SECONDS):
        who = f"process {pid} was killed" if pid else "its process is unknown here or on another machine"
        raise fault(f"{who}, and the lock is still held", run.id, f"see {run.lock}")
    if pid is not None:
        _write_end(run)


def pending(run: Commanded) -> Iterator[Command]:
    """The commands sent since the last call, in order; each is removed as it is given out."""
    for name in _files(run):
        path = run.control / name
        try:
            text = path.read_bytes()
            path.unlink()
            command = json.loads(text)
            found = Command(str(command["name"]), dict(command.get("arguments") or {}))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield found


def pending_names(run: Run) -> list[str]:
    """What the commands that nobody took up yet are called; they stay."""
    return [name.removesuffix(".json").partition("-")[2] for name in _files(run)]


def _files(run: Commanded) -> list[str]:
    try:
        names = os.listdir(run.control)
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(".json") and not name.startswith("."))


def clear(run: Commanded) -> None:
    """Drop commands that nobody took up: they were meant for an attempt that has ended."""
    for _ in pending(run):
        pass


def _require_running(run: Run) -> None:
    if not is_held(run):
        raise fault(f"this run is not going on: it is {read_status(run).state.value}", run.id)


def ask(run: Commanded, name: str, reason: str) -> None:
    """Leave a command for a run that this process watches over; `reason` goes into its answer.

    Raises:
        WorkbenchError: the disk does not take the command.
    """
    _write(run, name, {"reason": reason})


def _write(run: Commanded, name: str, arguments: Mapping[str, int | str] | None = None) -> None:
    path = run.control / f"{time.time_ns():020}-{name}.json"
    more = {"arguments": dict(arguments)} if arguments else {}
    write_atomic(path, json.dumps({"v": 1, "name": name, **more}) + "\n")


def _write_end(run: Run) -> None:
    """Say in the place of the killed process how it ended, unless another attempt has begun by now."""
    try:
        held = hold(run)
    except WorkbenchError:
        return
    try:
        clear(run)
        events = EventWriter(run.events)
        reason = "ended at once on request; it goes on from its last checkpoint"
        events.write("ended", state="stopped", step=read_status(run).step, reason=reason)
        events.sync()
        events.close()
    finally:
        os.close(held)


def _let_go(run: Run, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_held(run):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _kill(pid: int) -> None:
    """The process, and with it the workers of its group where it leads one."""
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        raise fault(f"process {pid} belongs to another user, who alone can end it") from None
