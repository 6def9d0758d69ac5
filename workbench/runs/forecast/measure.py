"""Measuring instead of computing: two real steps in a process of their own, kept for later forecasts."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import tomli_w

from workbench.errors import fault
from workbench.project import child
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.runs.forecast.batch import Batch
from workbench.runs.forecast.estimate import Forecaster
from workbench.runs.forecast.measurements import Measurement, measured, remember
from workbench.runs.forecast.memory import Memory
from workbench.runs.forecast.speed import method
from workbench.runs.spawn import trainer_environment

JOB = "workbench.engine.measure_job"


def run_measurement(
    project: OpenProject, made: Forecaster, cancelled: Callable[[], bool] | None = None
) -> tuple[Measurement, Memory]:
    """Measure `project`, remember the result on this box, and return it with the forecast of the same batch.

    Blocks for as long as the model takes to load and to make two steps.

    Raises WorkbenchError: the steps could not be taken, for want of memory perhaps.
    """
    last: dict[str, Any] = {}

    def hear(line: str) -> None:
        with suppress(ValueError, TypeError):
            last.clear()
            last.update(json.loads(line))

    ended = child.run(JOB, _words(project), hear, cancelled, environment=trainer_environment(os.environ))
    if cancelled and cancelled():
        raise fault("the measurement was cancelled")
    if "error" in last:
        raise fault(str(last["error"]), "estimate --measure")
    if "peak_bytes" not in last:
        hint = "the kernel ends a process that takes all memory" if ended.code < 0 else ended.complaint
        raise fault(f"the measurement ended with {ended.code} and no result", "estimate --measure", hint)
    result, forecast = compare(project.settings, made, last, "measure")
    remember(result)
    return result, forecast


def compare(
    settings: Project, made: Forecaster, told: Mapping[str, Any], origin: str
) -> tuple[Measurement, Memory]:
    """What a training took beside the forecast of the same micro-batch.

    Args:
        told: `device`, `peak_bytes`, `tokens_per_second`, and `batch`, the fields of a `Batch`.
        origin: the run's id, or `measure`.
    """
    there = replace(made, capacity=replace(made.capacity, device=told["device"]))
    forecast = there.of_batch(settings, Batch(**told["batch"]))
    result = measured(
        forecast,
        int(told["peak_bytes"]),
        capacity_bytes=made.capacity.total,
        model=made.shape.key,
        method=method(settings),
        tokens_per_second=told["tokens_per_second"],
        origin=origin,
    )
    return result, forecast


def _words(project: OpenProject) -> list[str]:
    profile = ["--profile", project.profile] if project.profile else []
    overrides = [
        word
        for key, value in project.overrides.items()
        for word in ("--set", f"{key}={tomli_w.dumps({'value': value}).removeprefix('value = ').strip()}")
    ]
    return [str(project.folder), *profile, *overrides]
