"""Queues of several projects and one GPU: a run that would not fit beside what is on it waits."""

import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.machine.capacity import capacity
from workbench.project.schema import Project
from workbench.project.state import state_folder
from workbench.project.store import OpenProject
from workbench.prompts.survey.survey import survey
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.estimate import forecaster
from workbench.runs.forecast.measurements import remembered
from workbench.runs.forecast.memory import room
from workbench.runs.lock import hold, is_held

LOOK_SECONDS = 10.0
"""Between two looks: each starts nvidia-smi."""
GIB = 2**30


@dataclass(frozen=True)
class _Turn:
    """Held while a run begins: until it has taken its memory, another worker would find the GPU free."""

    folder: Path
    id: str = "the GPU"

    @property
    def lock(self) -> Path:
        """One a box: the folder may be shared by several."""
        return self.folder / f"gpu-{socket.gethostname()}.lock"


class GpuTurn:
    """A queue's place among those of the same user who want the first GPU; without a GPU nobody waits."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self._turn = _Turn(state_folder())
        self._held: int | None = None
        self._look_seconds = look_seconds
        self._told: tuple[float, Project, str] | None = None
        self._forecast: tuple[Project, int] | None = None

    def hindrance(self, project: OpenProject) -> str:
        """Why a run of `project` cannot begin yet; empty when it may, and then others wait until `let_go`.

        One that would not fit an empty GPU either does not wait: its start says what is to be done.
        """
        now, settings = time.monotonic(), project.settings
        if self._told and now < self._told[0] + self._look_seconds and self._told[1] == settings:
            return self._told[2]
        reason = self._look(project)
        self._told = (now, settings, reason) if reason else None
        return reason

    def let_go(self) -> None:
        """The run has taken its memory, or will not begin."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _look(self, project: OpenProject) -> str:
        if project.settings.launch.launcher == "slurm":
            return ""
        box = capacity()
        if box.device == "host":
            return ""
        if not self._take():
            return "another queue's run is just beginning there"
        needed = self._needed(project, box)
        if room(box) < needed <= room(replace(box, free=box.total)):
            self.let_go()
            return (
                f"about {needed / GIB:.1f} GiB are needed, {room(box) / GIB:.1f} of "
                f"{box.total / GIB:.1f} GiB are free on {box.name}"
            )
        return ""

    def _take(self) -> bool:
        """Whether no other worker's run is beginning."""
        if self._held is None:
            with suppress(WorkbenchError, OSError):  # where no lock can be made memory alone decides
                self._turn.folder.mkdir(parents=True, exist_ok=True)
                self._held = hold(self._turn)
        return self._held is not None or not is_held(self._turn)

    def _needed(self, project: OpenProject, box: Capacity) -> int:
        """Bytes by the forecast; 0 where there is none, and what is wrong its start says."""
        if self._forecast is None or self._forecast[0] != project.settings:
            needed = 0
            with suppress(WorkbenchError):
                # Its start looks at the rows as well, and finds this look
                statistics = survey(project).statistics
                needed = forecaster(project, box, statistics, remembered()).memory(project.settings).total
            self._forecast = project.settings, needed
        return self._forecast[1]
