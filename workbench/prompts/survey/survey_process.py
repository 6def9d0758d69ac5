"""A survey made by a process of its own, so that a screen stays quick meanwhile. The cache brings it back, or
its stdout where the project's folder cannot be written to.

Few rows are looked at right here: that takes less than to start a process.

The process is `workbench check PROJECT --progress`: one JSON object a line on stdout, `{"progress": 0.25}`
until it ends, `{"error": "..."}` when it could not be made, `{"survey": {...}}` when it could not be kept.
"""

import json
import threading
from contextlib import suppress
from typing import Any

import tomli_w

from workbench.data.dataset import open_dataset
from workbench.data.files.rows import Cancelled, Progress
from workbench.errors import fault
from workbench.project import child
from workbench.project.store import OpenProject
from workbench.prompts.survey.survey import Survey, survey, survey_cached, survey_of

_ASK_SECONDS = 0.1
_MODULE = "workbench"
_NICENESS = 10
"""The screen that waits for it comes first."""
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

    Raises WorkbenchError: as `survey`; the process ended without a result.
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
    last: dict[str, Any] = {}

    def hear(line: str) -> None:
        with suppress(ValueError):
            last.clear()
            last.update(json.loads(line))
            if progress and "progress" in last:
                progress(last["progress"])

    ended = child.run(_MODULE, survey_words(project), hear, cancelled, niceness=_NICENESS)
    _stop_if(cancelled)
    if "error" in last:
        raise fault(str(last["error"]))
    if found := survey_of(project, last["survey"]) if "survey" in last else survey_cached(project):
        return found
    what = ended.complaint or f"ended with {ended.code}"
    hint = "do the data files stay as they are?"
    raise fault(f"the check brought no result: {what}", "workbench check", hint)


def survey_words(project: OpenProject) -> list[str]:
    """The command line, after `workbench`, that makes the survey of `project` and keeps it."""
    profile = ["--profile", project.profile] if project.profile else []
    overrides = [
        word
        for key, value in project.overrides.items()
        for word in ("--set", f"{key}={tomli_w.dumps({'value': value}).removeprefix('value = ').strip()}")
    ]
    return ["check", str(project.folder), "--progress", *profile, *overrides]


def _stop_if(cancelled: Cancelled | None) -> None:
    if cancelled and cancelled():
        raise fault("the check was cancelled")


def _bytes(project: OpenProject) -> int:
    """Size of all data files."""
    dataset = open_dataset(project)
    try:
        return dataset.bytes
    finally:
        dataset.close()
