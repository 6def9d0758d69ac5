"""How much memory this process has held at most, and how much there is."""

import os
import resource
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from workbench.runs.events import EventWriter

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of version 2 and version 1, as a container sees its own."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """The fields of a `memory` event."""

    peak_bytes: int
    capacity_bytes: int
    device: str


def read_memory() -> MemoryReading:
    """The first GPU's memory when there is one, else the host's."""
    if torch.cuda.is_available():
        device = torch.device("cuda", torch.cuda.current_device())
        total: int = torch.cuda.get_device_properties(device).total_memory
        return MemoryReading(torch.cuda.max_memory_reserved(device), total, str(device))
    # In KiB on Linux: getrusage(2)
    return MemoryReading(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, host_bytes(), "host")


def host_bytes() -> int:
    """RAM of the machine, or the limit of its container where that is lower."""
    ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in _CGROUP_LIMITS:
        try:
            return min(ram, int(file.read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return ram


class MemoryWatch(TrainerCallback):  # type: ignore[misc]
    """Writes `memory` events: before the first step of an attempt, after it, and at the end."""

    def __init__(self, events: EventWriter) -> None:
        self._events = events
        self._stepped = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._write()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The first step makes the optimizer's state."""
        if not self._stepped:
            self._stepped = True
            self._write()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._write()

    def _write(self) -> None:
        self._events.write("memory", **asdict(read_memory()))
