"""The GPU that a run would use, asked of the driver: torch stays asleep."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

PROBE_SECONDS = 10
_QUERY = "index,uuid,memory.total,memory.free,compute_cap,name"
_BF16_FROM = 8.0
"""Compute capability of Ampere, the first with bf16 in hardware."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU; `total` and `free` in bytes."""

    name: str
    total: int
    free: int
    bf16: bool


def first_gpu(ask: Callable[[], str] | None = None) -> Gpu | None:
    """The first GPU that CUDA_VISIBLE_DEVICES leaves; None without one, or when torch was built for the CPU.

    Args:
        ask: gives what `nvidia-smi` says, for tests.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if ask is None and (visible in ("", "-1") or _torch_is_for_cpu()):
        return None
    wanted = (visible or "0").split(",")[0].strip()
    for line in (ask or _nvidia_smi)().splitlines():
        parts = [part.strip() for part in line.split(",", 5)]
        if len(parts) == 6 and (wanted == parts[0] or parts[1].startswith(wanted)):
            try:
                total, free, capability = int(parts[2]), int(parts[3]), float(parts[4])
            except ValueError:  # "[N/A]" on boards that share the host's memory
                return None
            return Gpu(parts[5], total * 2**20, free * 2**20, capability >= _BF16_FROM)
    return None


def _torch_is_for_cpu() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def _nvidia_smi() -> str:
    """One line a GPU; empty without a driver. MiB without their unit."""
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
