"""How much memory this process has held at most, and how much there is."""

import resource
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from workbench.machine.host import host_memory
from workbench.runs.events import EventWriter

STATUS = Path("/proc/self/status")


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
    return MemoryReading(_most_resident(), host_memory().total, "host")


def _most_resident() -> int:
    """Bytes. What getrusage(2) tells counts the process that started this one in."""
    try:
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, ValueError, IndexError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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
