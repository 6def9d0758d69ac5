"""The process of a training, as the launcher starts it: signals, a kill, a refusal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.control import send
from workbench.runs.events import EventTail
from workbench.runs.folder import Run
from workbench.runs.launch import start
from workbench.runs.lock import holder_pid, is_held

DEADLINE = 120.0


def events(run: Run) -> list[dict[str, Any]]:
    return EventTail(run.events).read(max_records=100_000)


def wait(run: Run, condition: Callable[[], Any], what: str) -> None:
    """Until `condition` holds; a process that ends without it is an error with its console."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"no {what} in {DEADLINE:.0f} s\n{run.console.read_text()[-3000:]}")
        time.sleep(0.02)


def took_a_step(run: Run) -> bool:
    return any(event["kind"] == "step" for event in events(run))


def ended(run: Run) -> dict[str, Any]:
    wait(run, lambda: not is_held(run), "end")
    last = events(run)[-1]
    assert last["kind"] == "ended", run.console.read_text()[-3000:]
    return last


def test_stop_resume_kill_and_a_signal(make_project: Callable[..., Path]) -> None:
    folder = make_project(max_steps=100_000, data={"validation": 0}, save_total_limit=0)
    run = start(open_project(folder))
    wait(run, lambda: took_a_step(run), "step")
    send(run, "checkpoint")
    wait(run, lambda: list_checkpoints(run), "checkpoint")
    send(run, "stop")
    last = ended(run)
    assert last["state"] == "stopped"
    assert max(checkpoint.step for checkpoint in list_checkpoints(run)) == last["step"]
    names = [event["name"] for event in events(run) if event["kind"] == "command" and event["acknowledged"]]
    assert names == ["checkpoint", "stop"]

    start(open_project(folder), resume=run)
    wait(run, lambda: events(run)[-1].get("step", 0) > last["step"], "step after the resume")
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(run, lambda: not is_held(run), "end of the lock")
    resumed = [event["resumed_from"] for event in events(run) if event["kind"] == "started"]
    assert resumed == [None, last["step"]]

    start(open_project(folder), resume=run)
    wait(run, lambda: len([e for e in events(run) if e["kind"] == "started"]) == 3, "third start")
    wait(run, lambda: events(run)[-1]["kind"] == "step", "step of the third attempt")
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    final = ended(run)
    assert final["state"] == "stopped"
    assert max(checkpoint.step for checkpoint in list_checkpoints(run)) == final["step"]


def test_a_fault_of_the_project_is_told_without_a_traceback(make_project: Callable[..., Path]) -> None:
    run = start(open_project(make_project(target_modules=["nonsense"])))
    last = ended(run)
    assert last["state"] == "failed"
    assert "training.target_modules" in last["reason"] and "q_proj" in last["reason"]
    assert "Traceback" not in run.console.read_text()


def test_no_library_loads_compiled_code_from_the_hub(tmp_path: Path) -> None:
    """bitsandbytes asks for it on import, on a CPU that has AVX512-BF16."""
    (tmp_path / "kernels.py").write_text("raise SystemExit('kernels was imported')")
    program = (
        "import importlib.util as util, workbench.engine.train_job as job; assert util.find_spec('kernels');"
        "job.prepare_environment(); import bitsandbytes; assert util.find_spec('kernels') is None"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=DEADLINE
    )
    assert (done.returncode, done.stderr) == (0, "")
