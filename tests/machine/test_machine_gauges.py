"""What a run takes of the box, on boxes that we are not on: a fake driver library, a fake /proc."""

import os
from pathlib import Path

import pytest
from fake_nvml import FakeNvml

from workbench.machine.doctor import sensors
from workbench.machine.gauges import Gauges, gauges_now, summed
from workbench.machine.processes import TreeMeter
from workbench.machine.sensors import GpuReading, GpuSensors
from workbench.runs.folder import Run
from workbench.runs.lock import hold


@pytest.fixture(autouse=True)
def all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_gpu_is_read() -> None:
    nvml = FakeNvml()
    gpus = GpuSensors(nvml)
    for _ in range(3):
        assert [str(gpu) for gpu in gpus.read()] == ["GPU 0  87%  8.0/80.0 GiB  65 °C  301 W"]
    assert nvml.started == 1 and gpus.missing == ""


def test_what_is_not_measured_is_a_dash_and_no_zero() -> None:
    read = GpuSensors(FakeNvml(mute=("memory", "busy", "heat", "power"))).read()
    assert read == [GpuReading(0, "NVIDIA H200", None, None, None, None, None)]
    assert str(read[0]) == "GPU 0  –  – GiB  – °C  – W"


@pytest.mark.parametrize(
    ("visible", "seen"), [("1", [1]), ("GPU-2abc,0", [0, 2]), ("", []), ("-1", []), ("7", [])]
)
def test_only_visible_ones(monkeypatch: pytest.MonkeyPatch, visible: str, seen: list[int]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus = GpuSensors(FakeNvml(3))
    assert [gpu.index for gpu in gpus.read()] == seen
    assert bool(gpus.missing) == (not seen) and (seen or "of 3 in CUDA_VISIBLE_DEVICES" in gpus.missing)


def test_a_missing_driver_is_asked_once_and_said() -> None:
    nvml = FakeNvml(broken="NVML Shared Library Not Found")
    gpus = GpuSensors(nvml)
    assert gpus.read() == gpus.read() == [] and nvml.started == 1
    assert gpus.missing == "no GPU sensor: NVML Shared Library Not Found"
    assert "CPU and RAM are shown instead" in sensors(GpuSensors(nvml)).seen
    assert "NVIDIA H200: GPU 0  87%" in sensors(GpuSensors(FakeNvml())).seen


def test_many_gpus_are_summed_up() -> None:
    read = GpuSensors(FakeNvml(8)).read()
    assert summed(read) == "8 GPUs  87%–94%  8.0–64.0 GiB  65–72 °C  2410 W"
    assert summed(GpuSensors(FakeNvml(2, mute=("busy", "heat", "power"))).read()) == (
        "2 GPUs  –  8.0–16.0 GiB  – °C  – W"
    )


def process(proc: Path, pid: int, parent: int, ticks: int, pages: int, name: str = "python") -> None:
    """As proc(5) writes it: fields 14, 15 and 24 are user ticks, system ticks and resident pages."""
    fields = ["S", str(parent), *["0"] * 9, str(ticks - 1), "1", *["0"] * 8, str(pages), "0"]
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")


def test_a_tree_of_processes_is_summed_over_time(tmp_path: Path) -> None:
    times = iter([100.0, 102.0, 104.0, 106.0])
    meter = TreeMeter(10, tmp_path, lambda: next(times))
    second = os.sysconf("SC_CLK_TCK")
    process(tmp_path, 10, 1, 5 * second, 1000, "odd (name) 1 2")
    process(tmp_path, 11, 10, 2 * second, 500)
    process(tmp_path, 12, 11, second, 200)
    process(tmp_path, 99, 1, 70 * second, 7000)
    (tmp_path / "self").mkdir()
    first = meter.read()
    assert first is not None and first.cores is None and first.processes == 3
    assert first.ram == 1700 * os.sysconf("SC_PAGE_SIZE") and str(first).startswith("CPU –/")
    process(tmp_path, 10, 1, 7 * second, 1000)
    process(tmp_path, 11, 10, 3 * second, 500)
    process(tmp_path, 13, 11, second, 1)
    later = meter.read()
    assert later is not None and later.cores == pytest.approx(2.0) and later.processes == 4
    (tmp_path / "11" / "stat").unlink()
    assert (less := meter.read()) is not None and less.cores == 0.0
    (tmp_path / "10" / "stat").unlink()
    assert meter.read() is None


def test_a_run_that_goes_on_is_measured(run: Run) -> None:
    gauges = Gauges(GpuSensors(FakeNvml(8)))
    assert gauges.read(run) == "" == gauges_now(run)
    held = hold(run)
    try:
        assert gauges.read(run).startswith("GPU 0  87%") and " RAM " in gauges.read(run)
        assert gauges.read(run, 78).startswith("8 GPUs  87%–94%")
        assert len(gauges.read(run, 78)) <= 78
        bare = Gauges(GpuSensors(FakeNvml(broken="none here"))).read(run, 78)
        assert bare.startswith("CPU –/") and bare.endswith("no GPU sensor: none here")
        os.pwrite(held, b"123 elsewhere                    \n", 0)
        assert "another machine" in gauges.read(run)
    finally:
        os.close(held)
