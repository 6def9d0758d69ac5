"""NVIDIA's driver library of a box that we are not on."""

from types import SimpleNamespace
from typing import Any


class FakeNvml:
    """`pynvml` with some GPUs; `mute` names the questions that they do not answer."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    def __init__(self, gpus: int = 1, mute: tuple[str, ...] = (), broken: str = "") -> None:
        self.gpus, self.mute, self.broken, self.started = gpus, mute, broken, 0

    def nvmlInit(self) -> None:
        self.started += 1
        if self.broken:
            raise self.NVMLError(self.broken)

    def nvmlDeviceGetCount(self) -> int:
        return self.gpus

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA H200"

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}abc"

    def _answer(self, name: str, value: Any) -> Any:
        if name in self.mute:
            raise self.NVMLError("Not Supported")
        return value

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return self._answer("memory", SimpleNamespace(used=(handle + 1) * 2**33, total=80 * 2**30))

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return self._answer("busy", SimpleNamespace(gpu=87 + handle))

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> Any:
        return self._answer("heat", 65 + handle)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> Any:
        return self._answer("power", 301_200)
