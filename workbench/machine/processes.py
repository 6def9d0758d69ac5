"""What a process and all that it started take of this machine; read from /proc (proc(5))."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.machine.host import PROC


@dataclass(frozen=True, slots=True)
class TreeReading:
    """A process with its descendants at one moment.

    Attributes:
        cores: CPU seconds a second since the last reading, 1.0 for one core; None at the first.
        ram: resident bytes, of all together: pages that two share count twice.
        processes: how many they are.
    """

    cores: float | None
    ram: int
    processes: int

    def __str__(self) -> str:
        """`CPU 1.9/2 cores  RAM 1.2 GiB`."""
        cpu = "–" if self.cores is None else f"{self.cores:.1f}"
        return f"CPU {cpu}/{os.cpu_count()} cores  RAM {self.ram / 2**30:.1f} GiB"


class TreeMeter:
    """Reads the same process tree again and again."""

    def __init__(self, pid: int, proc: Path = PROC, clock: Callable[[], float] = time.monotonic) -> None:
        self.pid = pid
        self._proc, self._clock = proc, clock
        self._before: tuple[float, dict[int, int]] | None = None

    def read(self) -> TreeReading | None:
        """None when the process is gone, or where there is no /proc."""
        now, known = self._clock(), self._processes()
        tree = _tree(self.pid, {pid: parent for pid, (parent, _, _) in known.items()})
        if self.pid not in known:
            return None
        ticks = {pid: known[pid][1] for pid in tree}
        cores = None
        if self._before is not None and now > self._before[0]:
            # One that has begun since counts from its begin, one that has ended does not count
            spent = sum(used - self._before[1].get(pid, 0) for pid, used in ticks.items())
            cores = max(0, spent) / os.sysconf("SC_CLK_TCK") / (now - self._before[0])
        self._before = now, ticks
        ram = sum(known[pid][2] for pid in tree) * os.sysconf("SC_PAGE_SIZE")
        return TreeReading(cores, ram, len(tree))

    def _processes(self) -> dict[int, tuple[int, int, int]]:
        """Process number to parent, CPU ticks (user and system), resident pages."""
        found = {}
        try:
            names = os.listdir(self._proc)
        except OSError:
            return {}
        for name in names:
            if name.isdecimal():
                try:
                    text = (self._proc / name / "stat").read_text(encoding="utf-8", errors="replace")
                    # The name in parentheses may hold blanks and parentheses; fields are counted after it
                    fields = text.rpartition(")")[2].split()
                    found[int(name)] = (int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[21]))
                except (OSError, ValueError, IndexError):
                    continue  # ended meanwhile
        return found


def _tree(root: int, parents: dict[int, int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    tree = [root] if root in parents else []
    for pid in tree:
        tree += children.get(pid, [])
    return tree
