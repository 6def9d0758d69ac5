"""How much disk the checkpoints of a run take."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.project.schema import Project
from workbench.runs.forecast.memory import Memory

_BESIDE = 64 * 2**10
"""Random state, counters and manifest in each checkpoint."""
_NOT_TOKENIZER = ("config.json", "generation_config.json")
_EVENT = 450
"""Bytes of a step event."""


@dataclass(frozen=True, slots=True)
class Disk:
    """What a run writes.

    Attributes:
        checkpoint: bytes of one.
        kept: how many lie there at the same time, one that is being written included.
        events: bytes of the event log.
        free: bytes that the disk of the runs has left.
    """

    checkpoint: int
    kept: int
    events: int
    free: int

    @property
    def total(self) -> int:
        """The most at any time."""
        return self.checkpoint * self.kept + self.events


def forecast_disk(settings: Project, memory: Memory, steps: int | None, folder: Path, base: Path) -> Disk:
    """Checkpoints hold the trained weights in fp32 and the optimiser's state; the newest and the best stay
    besides `save_total_limit`, and one more exists while the oldest is not yet deleted.

    Args:
        steps: of the run; None where they are not known: then as many as are kept.
        folder: the project's.
        base: the base model's folder, whose tokenizer goes into each checkpoint.
    """
    training = settings.training
    checkpoint = 4 * memory.trainable + memory.parts["optimiser"] + _tokenizer(base) + _BESIDE
    made = (steps // training.save_steps if training.save_steps else 0) + 1 if steps else None
    limit = training.save_total_limit + 1 if training.save_total_limit else made or 1
    kept = min(limit, made) + 1 if made else limit + 1
    events = (steps or 0) // training.logging_steps * _EVENT
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return Disk(checkpoint, kept, events, shutil.disk_usage(there).free)


def _tokenizer(base: Path) -> int:
    """Bytes of the tokenizer's files."""
    files = [file for pattern in ("*.json", "*.model", "*.txt") for file in base.glob(pattern)]
    return sum(file.stat().st_size for file in files if file.name not in _NOT_TOKENIZER)
