"""The lock: held exactly as long as the process lives."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from run_helpers import until

from workbench.errors import WorkbenchError
from workbench.runs import lock
from workbench.runs.folder import Run
from workbench.runs.launch import Argv, launch
from workbench.runs.lock import hold, holder_pid, is_held


def test_one_holder_at_a_time(run: Run) -> None:
    assert not is_held(run) and holder_pid(run) is None
    held = hold(run)
    assert is_held(run) and holder_pid(run) == os.getpid()
    with pytest.raises(WorkbenchError, match="going on already"):
        hold(run)
    os.close(held)
    assert not is_held(run) and holder_pid(run) is None
    os.close(hold(run))


def test_it_is_free_at_once_when_its_process_is_killed(run: Run) -> None:
    child = os.fork()
    if child == 0:
        hold(run)
        signal.pause()
    until(lambda: holder_pid(run) == child, "holder")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not is_held(run)


def test_those_who_ask_are_never_in_the_way(run: Run) -> None:
    """Probing takes the lock for an instant: it must look like a holder to nobody."""
    os.close(hold(run))
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(lambda: [is_held(run) for _ in range(1000)]) for _ in range(3)]
        assert not any(answer for each in asked for answer in each.result())
        asked = [pool.submit(lambda: [is_held(run) for _ in range(1000)]) for _ in range(3)]
        while not all(each.done() for each in asked):
            os.close(hold(run))


def test_taking_it_waits_for_those_who_only_ask(run: Run) -> None:
    os.close(hold(run))
    asker = os.open(run.lock, os.O_RDONLY)
    fcntl.flock(asker, fcntl.LOCK_SH)
    leave = threading.Timer(0.05, os.close, [asker])
    leave.start()
    os.close(hold(run))
    leave.join()


def test_a_holder_on_another_machine_has_no_process_here(run: Run) -> None:
    held = hold(run)
    run.lock.write_text("1 somewhere-else\n")
    assert is_held(run) and holder_pid(run) is None
    os.close(held)


def test_a_process_it_starts_does_not_keep_it(run: Run, trainer: Callable[..., Argv]) -> None:
    launch(run, trainer(helper=True))
    helper = run.folder / "helper"
    until(lambda: helper.is_file() and helper.read_text(), "helper")
    pid = until(lambda: holder_pid(run), "holder")
    os.kill(pid, signal.SIGKILL)
    try:
        until(lambda: not is_held(run), "free lock", 2.0)
        os.kill(int(helper.read_text()), 0)
    finally:
        os.kill(int(helper.read_text()), signal.SIGKILL)


def test_a_process_without_a_launcher_takes_it_itself(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(lock.FD_VARIABLE, raising=False)
    held = lock.adopt(run)
    assert holder_pid(run) == os.getpid()
    with pytest.raises(WorkbenchError):
        lock.adopt(run)
    os.close(held)
