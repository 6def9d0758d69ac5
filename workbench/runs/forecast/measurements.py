"""What runs on this box really took: one JSON object a line, appended, never changed; it corrects forecasts.

`$XDG_STATE_HOME/workbench/measurements.jsonl` (~/.local/state without it). A line that is no measurement, or
half of one, is passed over.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from workbench.project.state import state_folder
from workbench.runs.forecast.memory import Memory

VERSION = 1
KEPT = 5
"""Measurements that a correction is made from: the newest that fit."""
_NEAR = 4.0
"""A measurement of another model counts when its memory was within this factor."""
_FACTORS = (0.25, 4.0)
_LEAST_UNCERTAINTY = 0.05
_UNTESTED_UNCERTAINTY = 0.15
"""Of one measurement, or of others': a correction made from these has not been right about anything."""
_LARGEST_FILE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Measurement:
    """One peak with what had been forecast for it.

    Attributes:
        time: unix seconds.
        device: `cuda:0` or `host`.
        capacity_bytes: all memory of that device: another box has another.
        model: `Shape.key`.
        method: `lora-nf4`, `full-none` and the like: what decides how fast it is.
        exact_bytes: forecast of the parts that are known exactly.
        estimated_bytes: forecast of the others, uncorrected.
        peak_bytes: what was measured.
        tokens_per_second: without padding; None where it was not measured.
        origin: a run's id, or `measure`.
    """

    time: float
    device: str
    capacity_bytes: int
    model: str
    method: str
    exact_bytes: int
    estimated_bytes: int
    peak_bytes: int
    tokens_per_second: float | None
    origin: str

    @property
    def error(self) -> float:
        """Share by which the uncorrected forecast was too high; negative where it was too low."""
        return (self.exact_bytes + self.estimated_bytes) / self.peak_bytes - 1

    @property
    def factor(self) -> float:
        """What the estimated parts would have to be multiplied with."""
        return (self.peak_bytes - self.exact_bytes) / max(self.estimated_bytes, 1)


def measurements_file() -> Path:
    """Where they are kept."""
    return state_folder() / "measurements.jsonl"


def remember(measurement: Measurement, file: Path | None = None) -> bool:
    """Append it in one write; False when the file cannot be written, which harms nothing else."""
    file = file or measurements_file()
    line = json.dumps({"v": VERSION, **asdict(measurement)}).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # Half a line of a writer that was killed stays one of its own
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" + line if torn else line)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True


def remembered(file: Path | None = None) -> list[Measurement]:
    """All that can be read, oldest first."""
    found: list[Measurement] = []
    with suppress(OSError), (file or measurements_file()).open("rb") as opened:
        for line in opened.read(_LARGEST_FILE).split(b"\n"):
            if (measurement := _parse(line)) is not None:
                found.append(measurement)
    return sorted(found, key=lambda each: each.time)


def _parse(line: bytes) -> Measurement | None:
    try:
        plain: Any = json.loads(line)
        if plain.pop("v") != VERSION:
            return None
        found = Measurement(**{name: plain[name] for name in Measurement.__dataclass_fields__})
        sizes = (found.capacity_bytes, found.exact_bytes, found.estimated_bytes, found.peak_bytes)
        texts = (found.device, found.model, found.method, found.origin)
        speed = found.tokens_per_second
        if not all(
            type(each) in (int, float) and isfinite(each) and each >= 0 for each in (found.time, *sizes)
        ):
            return None
        if not all(isinstance(each, str) for each in texts) or not found.peak_bytes:
            return None
        return found if speed is None or (type(speed) in (int, float) and isfinite(speed)) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def measured(
    memory: Memory,
    peak_bytes: int,
    *,
    capacity_bytes: int,
    model: str,
    method: str,
    tokens_per_second: float | None,
    origin: str,
    when: float | None = None,
) -> Measurement:
    """A peak beside the uncorrected forecast of it."""
    return Measurement(
        time=time.time() if when is None else when,
        device=memory.device,
        capacity_bytes=capacity_bytes,
        model=model,
        method=method,
        exact_bytes=memory.exact,
        estimated_bytes=memory.estimated,
        peak_bytes=peak_bytes,
        tokens_per_second=tokens_per_second,
        origin=origin,
    )


def correct(
    memory: Memory, known: Sequence[Measurement], *, capacity_bytes: int, model: str, method: str
) -> Memory:
    """The forecast with its estimated parts multiplied by what they were found to be on this box.

    The newest measurements of the same model and method count, without any those of the same model, without
    any those of models that took about as much. The range is as wide as the corrected forecast would have
    been wrong about them, and never narrower than 15 % with a single one, or with those of others.
    """
    here = [each for each in known if (each.device, each.capacity_bytes) == (memory.device, capacity_bytes)]
    own = [each for each in here if each.model == model]
    same = [each for each in own if each.method == method]
    near = [each for each in here if 1 / _NEAR <= each.peak_bytes / max(memory.total, 1) <= _NEAR]
    if not (used := (same or own or near)[-KEPT:]):
        return memory
    low, high = _FACTORS
    factor = min(max(median(each.factor for each in used), low), high)
    wrong = max(
        abs((each.exact_bytes + each.estimated_bytes * factor) / each.peak_bytes - 1) for each in used
    )
    least = _LEAST_UNCERTAINTY if len(same) > 1 else _UNTESTED_UNCERTAINTY
    count = len(used)
    remark = (
        f"corrected by {count} measurement{'s' if count > 1 else ''} of this box, "
        f"last error {used[-1].error:+.0%}"
    )
    return memory.corrected(factor, max(wrong, least), remark)
