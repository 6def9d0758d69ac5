"""Whether a model fits into the memory that is free, before it is loaded."""

from pathlib import Path

import torch

from workbench.chat.protocol import NoRoom, Target
from workbench.errors import Problem, WorkbenchError
from workbench.machine.host import host_memory
from workbench.runs.folder import list_runs
from workbench.runs.forecast.memory import CUDA_WORKSPACE, weight_bytes
from workbench.runs.forecast.shape import read_shape
from workbench.runs.lock import is_held


def require_room(target: Target, folder: Path) -> None:
    """Raises WorkbenchError: the weights need more memory than is free, `NoRoom` on a GPU.

    Weights alone are counted, and on a GPU torch's workspace: what a conversation needs besides depends on
    its length. A model whose sizes cannot be read off its files is let through.

    Args:
        target: how its weights are to be held.
        folder: where they are.
    """
    gpu = torch.cuda.is_available()
    try:
        shape = read_shape(folder)
    except WorkbenchError:
        return
    needed = weight_bytes(shape, target.quantization, target.double_quantization, 2 if gpu else 4)
    if gpu:
        needed += CUDA_WORKSPACE
    free, total, where = _memory()
    if not total or needed <= free:
        return
    training = [run.id for run in list_runs(target.project_folder) if is_held(run)]
    busy = f"; {' and '.join(training)} is training" if training else ""
    there = f"{_gib(free)} of the {_gib(total)} GiB of {where} are free{busy}"
    what = f"{target.label} needs {_gib(needed)} GiB, {there}"
    others = "model.quantization = nf4 needs less" if target.quantization == "none" else ""
    if gpu:
        hints = ["talk to it on the CPU", *([others] if others else []), "or wait until memory is free"]
        raise NoRoom(Problem(what, hint=", ".join(hints)))
    raise WorkbenchError(Problem(what, hint=others or "end what else uses the memory"))


def _memory() -> tuple[int, int, str]:
    """Free and all bytes where models are held, and what that is called."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return free, total, torch.cuda.get_device_name()
    host = host_memory()
    return host.free, host.total, "this machine"


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"
