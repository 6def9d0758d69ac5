"""The memory that a run on this box would use: the GPU's when there is one, else the host's."""

from workbench.machine.gpu import first_gpu
from workbench.machine.host import host_memory
from workbench.runs.forecast.capacity import Capacity


def capacity() -> Capacity:
    """Asked anew each time; takes up to a second where there is a GPU."""
    if gpu := first_gpu():
        return Capacity("cuda:0", gpu.name, gpu.total, gpu.free, gpu.bf16)
    host = host_memory()
    return Capacity("host", "host", host.total, host.free)
