"""What a run that goes on takes of the box: its GPUs where there are any, its processes always."""

import time
from collections.abc import Sequence

from workbench.machine.processes import TreeMeter
from workbench.machine.sensors import GIB, GpuReading, GpuSensors
from workbench.runs.folder import Run
from workbench.runs.lock import holder_pid, is_held

PERIOD_SECONDS = 0.5
"""What CPU use is measured over where nobody has looked before."""

GAP = "   "


class Gauges:
    """Reads one box again and again, for one run at a time."""

    def __init__(self, sensors: GpuSensors | None = None) -> None:
        self._sensors = sensors or GpuSensors()
        self._meter: TreeMeter | None = None

    def read(self, run: Run, width: int = 0) -> str:
        """One line; empty when the run does not go on. For a worker thread.

        Args:
            width: where that is too short GPUs are summed up, then the processes left out; 0 for no limit.
        """
        if not is_held(run):
            return ""
        pid = holder_pid(run)
        if pid is None:
            return "this run goes on at another machine: nothing of it is measured here"
        if self._meter is None or self._meter.pid != pid:
            self._meter = TreeMeter(pid)
        gpus = self._sensors.read()
        tree = self._meter.read()
        told = [str(tree)] if tree else []
        if not gpus:
            return GAP.join([*told, self._sensors.missing])
        all_of_them = GAP.join(map(str, gpus))
        short = all_of_them if len(gpus) == 1 else summed(gpus)
        lines = [GAP.join([all_of_them, *told]), GAP.join([short, *told])]
        return next((line for line in lines if not width or len(line) <= width), short)


def gauges_now(run: Run) -> str:
    """One line on `run`; takes `PERIOD_SECONDS` where it goes on."""
    gauges = Gauges()
    if not gauges.read(run):
        return ""
    time.sleep(PERIOD_SECONDS)
    return gauges.read(run)


def summed(gpus: Sequence[GpuReading]) -> str:
    """`8 GPUs  91%–99%  70.1–71.2 GiB  61–70 °C  2410 W`: the least and the most of them, power of all."""
    busy = _span([f"{gpu.busy:.0%}" for gpu in sorted(gpus, key=_busy) if gpu.busy is not None])
    used = sorted(gpu.used for gpu in gpus if gpu.used is not None)
    heat = sorted(gpu.celsius for gpu in gpus if gpu.celsius is not None)
    watts = [gpu.watts for gpu in gpus if gpu.watts is not None]
    power = f"{sum(watts):.0f}" if watts else "–"
    memory = _span([f"{bytes / GIB:.1f}" for bytes in used])
    return f"{len(gpus)} GPUs  {busy}  {memory} GiB  {_span(list(map(str, heat)))} °C  {power} W"


def _busy(gpu: GpuReading) -> float:
    return gpu.busy or 0.0


def _span(ascending: Sequence[str]) -> str:
    """First and last, once where they read the same."""
    return "–".join(dict.fromkeys((ascending[0], ascending[-1]))) if ascending else "–"
