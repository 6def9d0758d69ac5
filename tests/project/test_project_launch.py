"""`[launch]`: what is refused, and how many processes take part."""

from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project import gpus
from workbench.project.launch import LaunchSettings
from workbench.project.store import open_project


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nodes = 2", "several nodes need a place to meet"),
        ('nodes = 2\nrendezvous = "node1"', "not of the form HOST:PORT: node1"),
        ('rendezvous = "node1:70000"', "not of the form HOST:PORT"),
        ('processes = 0\nlauncher = "slurm"', "0 counts the GPUs of this machine"),
        ('processes = 0\nnodes = 2\nrendezvous = "a:1"', "0 counts the GPUs of this machine"),
        ('slurm_options = ["partition"]', "no option of sbatch: partition"),
        ('slurm_options = ["--time=1\\nrm -r /"]', "no option of sbatch"),
        ("processes = -1", "launch.processes"),
        ("process = 2", "processes"),
    ],
)
def test_what_cannot_be_started_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "project.toml").write_text(f'name = "x"\n[launch]\n{text}\n')
    with pytest.raises(WorkbenchError, match=message):
        open_project(tmp_path)


def test_what_can_be_started_is_taken(tmp_path: Path) -> None:
    text = 'processes = 4\nnodes = 2\nrendezvous = "[fd00::1]:29500"\nslurm_options = ["-p gpu", "--time=9"]'
    (tmp_path / "project.toml").write_text(f'name = "x"\n[launch]\n{text}\n')
    assert open_project(tmp_path).settings.launch.world_size == 8


@pytest.mark.parametrize(("found", "expected"), [(0, 1), (1, 1), (4, 4)])
def test_processes_by_the_gpus_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, found: int, expected: int
) -> None:
    monkeypatch.setattr(gpus, "count_gpus", lambda: found)
    assert gpus.world_size(LaunchSettings(processes=0)) == expected
    assert gpus.world_size(LaunchSettings(processes=3)) == 3


def test_gpus_that_are_hidden_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [Path(f"/dev/nvidia{i}") for i in range(4)])
    for visible, expected in (("0,2", 2), ("", 0), ("0,1,2,3,4,5", 4)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpus.count_gpus() == expected
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert gpus.count_gpus() == 4
