"""What a run really took of memory and time, for the forecasts of later runs."""

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from workbench.engine.memory import read_memory
from workbench.engine.micro_batches import Inputs, count_tokens
from workbench.engine.scoring import IGNORED
from workbench.engine.trainer import Trainer
from workbench.errors import WorkbenchError
from workbench.machine.capacity import capacity
from workbench.project.store import OpenProject
from workbench.runs.folder import Run
from workbench.runs.forecast.batch import Batch
from workbench.runs.forecast.estimate import forecaster
from workbench.runs.forecast.measure import compare
from workbench.runs.forecast.measurements import remember
from workbench.runs.forecast.speed import speed_of


def took(trainer: Trainer, run: Run) -> dict[str, Any]:
    """Peak and speed of a training that took a step, in plain values for `forecast.measure.compare`."""
    reading = read_memory()
    return {
        "device": reading.device,
        "peak_bytes": reading.peak_bytes,
        "tokens_per_second": speed_of(run),
        "batch": asdict(_size(trainer.longest(), trainer.args.per_device_train_batch_size)),
    }


def remember_run(project: OpenProject, run: Run, id: str, trainer: Trainer) -> None:
    """Keep what an attempt took, unless its micro-batches were halved; nothing where there is no forecast.

    Args:
        id: what the run is called; its folder may be the one that the process is in.
    """
    if trainer.progress.parts > 1 or not trainer.is_world_process_zero():
        return
    with suppress(WorkbenchError, OSError):  # a base model that was removed meanwhile, a disk that fails
        made = forecaster(project, capacity(), None)
        measurement, _ = compare(project.settings, made, took(trainer, run), id)
        remember(measurement)


def _size(inputs: Inputs, rows: int) -> Batch:
    padded = "cu_seq_lens_q" not in inputs
    return Batch(
        rows=len(inputs["input_ids"]) if padded else rows,
        tokens=count_tokens(inputs),
        trained=int((inputs["labels"] != IGNORED).sum()),
        longest=int(inputs["input_ids"].shape[1] if padded else inputs["max_length_q"]),
        padded=padded,
        measured=True,
    )
