"""How much memory there is: RAM, containers, GPUs."""

from pathlib import Path

import pytest

from workbench.machine.capacity import capacity
from workbench.machine.gpu import first_gpu
from workbench.machine.host import host_memory

GIB = 2**30
MEMINFO = f"MemTotal:  {8 * 2**20} kB\nMemFree: 100 kB\nMemAvailable: {6 * 2**20} kB\nHugePages_Total: 0\n"


def box(tmp_path: Path, groups: str = "", **files: str) -> tuple[Path, Path]:
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(MEMINFO)
    (proc / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        file = cgroup / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return proc, cgroup


def test_ram_without_a_container(tmp_path: Path) -> None:
    proc, cgroup = box(tmp_path, "0::/a/b\n", memory_dot_max="max")
    found = host_memory(proc, cgroup)
    assert (found.total, found.free) == (8 * GIB, 6 * GIB)


def test_the_narrowest_container_counts_without_its_page_cache(tmp_path: Path) -> None:
    files = {
        "a__memory_dot_max": f"{4 * GIB}\n",
        "a__memory_dot_current": f"{3 * GIB}",
        "a__memory_dot_stat": f"anon 5\ninactive_file {2 * GIB}\n",
        "a__b__memory_dot_max": f"{5 * GIB}",
    }
    found = host_memory(*box(tmp_path, "0::/a/b\n", **files))
    assert (found.total, found.free) == (4 * GIB, 3 * GIB)


def test_version_one_and_a_path_of_the_host(tmp_path: Path) -> None:
    files = {"memory__memory_dot_limit_in_bytes": f"{2 * GIB}", "memory__memory_dot_usage_in_bytes": f"{GIB}"}
    found = host_memory(*box(tmp_path, "4:cpu:/\n7:memory:/docker/abc\n", **files))
    assert (found.total, found.free) == (2 * GIB, GIB)


def test_nothing_to_read_is_nothing(tmp_path: Path) -> None:
    assert host_memory(tmp_path, tmp_path).total == 0


LINES = """\
0, GPU-aa11, 24564, 24000, 8.9, NVIDIA GeForce RTX 4090
1, GPU-bb22, 16384, 16000, 7.5, Tesla T4, rev. A
"""


@pytest.mark.parametrize(
    "visible, name, bf16",
    [
        (None, "NVIDIA GeForce RTX 4090", True),
        ("1,0", "Tesla T4, rev. A", False),
        ("GPU-bb", "Tesla T4, rev. A", False),
    ],
)
def test_the_first_visible_gpu(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, name: str, bf16: bool
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = first_gpu(lambda: LINES)
    assert found and (found.name, found.bf16) == (name, bf16)
    assert found.total in (24564 * 2**20, 16384 * 2**20)


@pytest.mark.parametrize("text", ["", "No devices were found", "0, GPU-a, [N/A], [N/A], 12.1, GB10"])
def test_no_gpu_that_says_its_memory(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert first_gpu(lambda: text) is None


def test_this_box_has_some() -> None:
    found = capacity()
    assert 0 < found.free <= found.total
