"""The processes of one training, and what they agree on; with a single one nothing of it costs anything.

Words as torchrun's: a rank is a process, rank 0 the one that writes, the world size the number of ranks.
What ranks agree on lies in CPU tensors and goes through gloo, so that no GPU is waited for.
"""

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from workbench.errors import fault
from workbench.project.launch import LaunchSettings


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which rank this process is, of how many."""

    rank: int = 0
    world_size: int = 1

    @property
    def several(self) -> bool:
        """There are others to agree with."""
        return self.world_size > 1

    @property
    def writes(self) -> bool:
        """Events, checkpoints and samples are this process' work."""
        return self.rank == 0

    def sum(self, numbers: Tensor) -> Tensor:
        """`numbers` added up over all ranks, the same everywhere; NaN where any is NaN."""
        if self.several:
            numbers = numbers.clone()
            distributed.all_reduce(numbers)
        return numbers

    def from_first(self, value: Any) -> Any:
        """What rank 0 gives; the others' own value does not matter."""
        if not self.several:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def numbers_from_first(self, numbers: list[int]) -> list[int]:
        """As `from_first` for whole numbers, without pickling: for every step."""
        if not self.several:
            return numbers
        tensor = torch.tensor(numbers, dtype=torch.int64)
        distributed.broadcast(tensor, src=0)
        return list(tensor.tolist())

    def collect(self, value: Any) -> list[Any]:
        """The values of all ranks in order, for rank 0; nothing for the others."""
        if not self.several:
            return [value]
        boxes: list[Any] | None = [None] * self.world_size if self.writes else None
        distributed.gather_object(value, boxes, dst=0)
        return boxes or []


ALONE = Ranks()
"""One process, as most runs have."""


def join(launch: LaunchSettings) -> Ranks:
    """Meet the other processes that torchrun started; alone where there are none.

    Raises:
        WorkbenchError: not as many take part as the run was started for.
    """
    present = int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1
    if present != launch.world_size:
        what = f"{present} of {launch.world_size} processes take part"
        hint = "the run goes on with as many as it was started for, or the effective batch would be another"
        raise fault(what, "launch.processes", hint)
    if present == 1:
        return Ranks()
    gpu = torch.cuda.is_available()
    local = int(os.environ["LOCAL_RANK"])
    if gpu:
        if local >= torch.cuda.device_count():
            raise fault(f"process {local + 1} of this node has no GPU of its own", "launch.processes")
        torch.cuda.set_device(local)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if gpu else "gloo")
    return Ranks(distributed.get_rank(), distributed.get_world_size())


def wrapper_of(model: torch.nn.Module, ranks: Ranks) -> str:
    """What makes several ranks train one model; `none` where one trains alone.

    Raises:
        WorkbenchError: `model` is not wrapped as it must be: each rank would train a model of its own.
    """
    wrapped = isinstance(model, DistributedDataParallel)
    if wrapped != ranks.several:
        what = f"{ranks.world_size} processes, and the model is a {type(model).__name__}"
        raise fault(what, "launch.processes", "several processes need DistributedDataParallel, one must not")
    return "DistributedDataParallel" if wrapped else "none"
