"""Commands to a running run: a file each in its `control/` folder, taken up between two steps."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

from workbench.errors import WorkbenchError, fault
from workbench.project.files import write_atomic
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.lock import hold, holder_pid, is_held
from workbench.runs.status import read_status

GRACE_SECONDS = 5.0
DEATH_SECONDS = 10.0
"""A killed process gives back tens of gigabytes first."""

POLL_SECONDS = 0.02


def send(run: Run, command: Literal["stop", "checkpoint"]) -> None:
    """Ask a run to write a checkpoint, or to write one and end; it answers with a `command` event.

    Raises:
        WorkbenchError: the run is not going on, or the disk does not take the command.
    """
    _require_running(run)
    _write(run, command)


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


def pending(run: Run) -> Iterator[str]:
    """The names of the commands sent since the last call, in order; each is removed as it is given out."""
    try:
        names = sorted(name for name in os.listdir(run.control) if name.endswith(".json"))
    except OSError:
        return
    for name in names:
        if name.startswith("."):
            continue
        path = run.control / name
        try:
            text = path.read_bytes()
            path.unlink()
            command = json.loads(text)["name"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield str(command)


def clear(run: Run) -> None:
    """Drop commands that nobody took up: they were meant for an attempt that has ended."""
    for _ in pending(run):
        pass


def _require_running(run: Run) -> None:
    if not is_held(run):
        raise fault(f"this run is not going on: it is {read_status(run).state.value}", run.id)


def _write(run: Run, command: str) -> None:
    path = run.control / f"{time.time_ns():020}-{command}.json"
    write_atomic(path, json.dumps({"v": 1, "name": command}) + "\n")


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
