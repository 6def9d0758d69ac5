"""The memory of this machine, as far as this process may use it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Bytes: `total` that this process could ever have, `free` that it could have now."""

    total: int
    free: int


def host_memory(proc: Path = PROC, cgroup: Path = CGROUP) -> HostMemory:
    """RAM without swap, cut to the limits of the containers around this process.

    Zero where nothing can be read (no Linux).
    """
    ram = _meminfo(proc)
    total, free = ram.get("MemTotal", 0), ram.get("MemAvailable", ram.get("MemFree", 0))
    for limit, used in _limits(proc, cgroup):
        if limit < total or not total:
            total = limit
        free = min(free, max(0, limit - used)) if free else max(0, limit - used)
    return HostMemory(total, free)


def _meminfo(proc: Path) -> dict[str, int]:
    found = {}
    try:
        for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if rest.endswith("kB"):
                found[name] = int(rest.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    return found


def _limits(proc: Path, cgroup: Path) -> Iterator[tuple[int, int]]:
    """(limit, in use without pages that can be dropped) of every control group around this process.

    Source: kernel documentation, cgroup-v2 (memory.max) and cgroup-v1/memory (memory.limit_in_bytes).
    """
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = cgroup, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = cgroup / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # Inside a container the path is often that of the host, and the limit lies at the top
        inner = top / path.strip("/")
        for folder in dict.fromkeys((inner, *inner.parents)):
            if folder.is_relative_to(top) and (limit := _number(folder / names[0])) is not None:
                used = _number(folder / names[1]) or 0
                yield limit, max(0, used - _statistic(folder / "memory.stat", names[2]))


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max"
        return None


def _statistic(file: Path, name: str) -> int:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))
    except (OSError, ValueError, IndexError, StopIteration):
        return 0
