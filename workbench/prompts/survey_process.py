"""A survey made by a process of its own, so that a screen stays quick meanwhile; the cache brings it back.

Few rows are looked at right here: that takes less than to start a process.

The process is `workbench check PROJECT --progress`: one JSON object a line on stdout, `{"progress": 0.25}`
until it ends, `{"error": "..."}` when it could not be made.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import tomli_w

from workbench.data.dataset import open_dataset
from workbench.data.rows import Cancelled, Progress
from workbench.errors import fault
from workbench.project.store import OpenProject
from workbench.prompts.survey import Survey, survey, survey_cached

_ROOT = Path(__file__).parents[2]
_ASK_SECONDS = 0.1
_NICENESS = 10
_FEW_BYTES = 500_000
_one_at_a_time = threading.Lock()


def run_survey(
    project: OpenProject, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Survey:
    """As `survey`, but the work is done elsewhere. Called from a worker thread; blocks until it is done.

    Args:
        project: with profile and overrides laid in.
        progress: told the share that is done.
        cancelled: asked ten times a second; the process is ended when it says so.

    Raises WorkbenchError: as `survey`; the process ended without a result; its result cannot be kept.
    """
    while not _one_at_a_time.acquire(timeout=_ASK_SECONDS):  # what runs may be the same survey
        _stop_if(cancelled)
    try:
        if found := survey_cached(project):
            return found
        if _bytes(project) <= _FEW_BYTES:
            return survey(project, progress, cancelled)
        return _elsewhere(project, progress, cancelled)
    finally:
        _one_at_a_time.release()


def _elsewhere(project: OpenProject, progress: Progress | None, cancelled: Cancelled | None) -> Survey:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            survey_argv(project), stdout=subprocess.PIPE, stderr=errors, env=_environment(), text=True
        )
        with suppress(OSError):  # the screen that waits for it comes first
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        try:
            said = _follow(process, progress, cancelled)
        finally:
            process.kill()
            process.wait()
        _stop_if(cancelled)
        if "error" in said:
            raise fault(str(said["error"]))
        if found := survey_cached(project):
            return found
        errors.seek(0)
        last = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    what = "; ".join(last) or f"ended with {process.returncode}"
    hint = f"is {project.folder} writable, and do its files stay as they are?"
    raise fault(f"the check brought no result: {what}", "workbench check", hint)


def survey_argv(project: OpenProject) -> list[str]:
    """The command that makes the survey of `project` and keeps it."""
    profile = ["--profile", project.profile] if project.profile else []
    overrides = [
        word
        for key, value in project.overrides.items()
        for word in ("--set", f"{key}={tomli_w.dumps({'value': value}).removeprefix('value = ').strip()}")
    ]
    return [
        sys.executable,
        "-m",
        "workbench",
        "check",
        str(project.folder),
        "--progress",
        *profile,
        *overrides,
    ]


def _follow(
    process: "subprocess.Popen[str]", progress: Progress | None, cancelled: Cancelled | None
) -> dict[str, Any]:
    """Hand on the progress until the process ends; its last word."""
    last: dict[str, Any] = {}

    def read(stream: IO[str]) -> None:
        for line in stream:
            with suppress(ValueError):
                said = json.loads(line)
                last.clear()
                last.update(said)
                if progress and "progress" in said:
                    progress(said["progress"])

    assert process.stdout
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    while reader.is_alive():
        reader.join(_ASK_SECONDS)
        if cancelled and cancelled():
            process.kill()
    process.wait()
    return last


def _stop_if(cancelled: Cancelled | None) -> None:
    if cancelled and cancelled():
        raise fault("the check was cancelled")


def _bytes(project: OpenProject) -> int:
    """Size of all data files."""
    dataset = open_dataset(project)
    try:
        files = [file for state in dataset.sources if state.rows for file in state.rows.files]
        return sum(file.stat().st_size for file in files if file.exists())
    finally:
        dataset.close()


def _environment() -> dict[str, str]:
    """This program is found by the process even where it is not installed."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{path}" if path else str(_ROOT)}
