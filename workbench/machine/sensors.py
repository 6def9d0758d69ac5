"""How busy and how warm the GPUs are, asked of NVIDIA's driver library (NVML); torch stays asleep.

Source of the calls and their units: NVML API reference, docs.nvidia.com/deploy/nvml-api.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

GIB = 2**30


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one moment; None for what its driver does not tell (a board without a sensor, MIG).

    Attributes:
        index: as nvidia-smi counts.
        busy: share of the last sample period in which a kernel ran, 0 to 1.
        used, total: memory in bytes.
        celsius: of the chip.
        watts: drawn by the board.
    """

    index: int
    name: str
    busy: float | None
    used: int | None
    total: int | None
    celsius: int | None
    watts: float | None

    def __str__(self) -> str:
        """`GPU 0  87%  12.3/80.0 GiB  65 °C  301 W`; a dash for what nobody measures."""
        busy = "–" if self.busy is None else f"{self.busy:.0%}"
        memory = (
            "–" if not self.total or self.used is None else f"{self.used / GIB:.1f}/{self.total / GIB:.1f}"
        )
        heat = "–" if self.celsius is None else f"{self.celsius}"
        power = "–" if self.watts is None else f"{self.watts:.0f}"
        return f"GPU {self.index}  {busy}  {memory} GiB  {heat} °C  {power} W"


class GpuSensors:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves; the driver library is loaded at the first `read`.

    Attributes:
        missing: why there is nothing to read; empty before the first `read`, and where there is.
    """

    def __init__(self, nvml: Any = None) -> None:
        """`nvml` takes the place of the module `pynvml`, for tests."""
        self._nvml = nvml
        self._found: list[tuple[int, str, Any]] | None = None
        self.missing = ""

    def read(self) -> list[GpuReading]:
        """What they show now: about a millisecond each, the first time a tenth of a second."""
        if self._found is None:
            self._found = self._find()
        return [self._read(index, name, handle) for index, name, handle in self._found]

    def _find(self) -> list[tuple[int, str, Any]]:
        try:
            nvml = self._nvml = self._nvml or import_module("pynvml")
        except ImportError:
            self.missing = "no GPU sensor: nvidia-ml-py is not installed"
            return []
        try:
            nvml.nvmlInit()
            handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(nvml.nvmlDeviceGetCount())]
            known = [(n, str(nvml.nvmlDeviceGetName(each)), each) for n, each in enumerate(handles)]
            found = [each for each in known if _visible(each[0], str(nvml.nvmlDeviceGetUUID(each[2])))]
        except nvml.NVMLError as error:
            self.missing = f"no GPU sensor: {error}"
            return []
        if not found:
            hidden = f" of {len(known)} in CUDA_VISIBLE_DEVICES" if known else ""
            self.missing = f"no GPU sensor: the driver shows no GPU{hidden}"
        return found

    def _read(self, index: int, name: str, handle: Any) -> GpuReading:
        nvml = self._nvml
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        busy = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        milliwatts = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return GpuReading(
            index,
            name,
            None if busy is None else busy / 100,
            None if memory is None else memory.used,
            None if memory is None else memory.total,
            self._ask(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
            None if milliwatts is None else milliwatts / 1000,
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except self._nvml.NVMLError:  # "not supported" mostly; a GPU that fell off the bus too
            return None


def _visible(index: int, uuid: str) -> bool:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return True
    wanted = [part.strip() for part in visible.split(",")]
    return any(part and (part == str(index) or uuid.startswith(part)) for part in wanted)
