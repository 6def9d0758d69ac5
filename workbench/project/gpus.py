"""How many GPUs there are to start processes for, without a GPU library."""

import os
from pathlib import Path

from workbench.project.launch import LaunchSettings


def count_gpus() -> int:
    """GPUs that this process may use: the device files, or fewer where CUDA_VISIBLE_DEVICES names fewer."""
    devices = sum(device.name[6:].isdecimal() for device in Path("/dev").glob("nvidia[0-9]*"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return devices if visible is None else min(devices, len([name for name in visible.split(",") if name]))


def world_size(launch: LaunchSettings) -> int:
    """Processes that take part in a run that is started here and now."""
    return max(1, launch.processes or count_gpus()) * launch.nodes
