"""The lock of a run: RUNNING means that a living process holds it, and nothing else does.

It is an flock: the kernel lets it go when the last process that holds it ends, however it ends. The launcher
takes it and hands it on, so that a started run is at no moment unlocked.
"""

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import Protocol

from workbench.errors import fault

FD_VARIABLE = "WORKBENCH_LOCK_FD"
"""Environment variable that tells a started process which descriptor holds its run's lock."""

PATIENCE_SECONDS = 0.2
RETRY_SECONDS = 0.005


class Lockable(Protocol):
    """A run, or a queue."""

    @property
    def id(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    @property
    def lock(self) -> Path: ...


def hold(run: Lockable) -> int:
    """Take the lock for this process; keep the descriptor that is returned as long as the run goes on.

    Raises:
        WorkbenchError: another process holds it, or the file cannot be made.
    """
    try:
        descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise fault(f"cannot be locked: {error.strerror or error}", run.lock) from error
    # Somebody who only asks `is_held` has it for an instant
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise fault("this run is going on already", run.id, f"workbench watch {run.folder}") from None
            time.sleep(RETRY_SECONDS)
        except OSError as error:
            os.close(descriptor)
            raise fault(f"cannot be locked: {error.strerror or error}", run.lock) from error
    write_holder(descriptor, os.getpid())
    return descriptor


def adopt(run: Lockable) -> int:
    """Take over, in a started process, the lock that its launcher handed on; without one, take it.

    From here on no process that this one starts inherits it.

    Raises:
        WorkbenchError: another process holds it.
    """
    handed_on = os.environ.pop(FD_VARIABLE, "")
    if not handed_on:
        return hold(run)
    descriptor = int(handed_on)
    os.set_inheritable(descriptor, False)
    write_holder(descriptor, os.getpid())
    return descriptor


def write_holder(descriptor: int, pid: int) -> None:
    """Write down who holds the lock. On a full disk it stays unsaid: the lock itself needs no space."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{pid} {socket.gethostname()}\n".encode(), 0)
    except OSError:
        return


def is_held(run: Lockable) -> bool:
    """Whether a living process holds the lock."""
    try:
        descriptor = os.open(run.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who ask at once do not see each other
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def holder_pid(run: Lockable) -> int | None:
    """The process that holds the lock; None when nobody does, or somebody on another machine."""
    if not is_held(run):
        return None
    try:
        pid, host = run.lock.read_text(encoding="utf-8").split()
        return int(pid) if host == socket.gethostname() else None
    except (OSError, ValueError):
        return None
