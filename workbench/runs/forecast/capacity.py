"""How much memory there is to train in, as plain values: `workbench.machine.capacity` reads them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Capacity:
    """The memory that a run would use.

    Attributes:
        device: what trains: the first GPU, or the host with its processor.
        name: of the GPU; `host` without one.
        total: bytes of all its memory, or of what a container may use.
        free: bytes that nobody holds now.
        bf16: it computes in bf16; only asked of a GPU.
    """

    device: Literal["cuda:0", "host"]
    name: str
    total: int
    free: int
    bf16: bool = False

    def precision(self, asked: str) -> str:
        """What `training.precision = auto` becomes there, as `engine.arguments.precision` has it."""
        if asked != "auto":
            return asked
        if self.device == "host":
            return "fp32"
        return "bf16" if self.bf16 else "fp16"
