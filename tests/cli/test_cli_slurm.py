"""`workbench slurm` and `workbench join`, as typed."""

from pathlib import Path

import pytest

from workbench.cli import MISUSE, main
from workbench.runs.folder import list_runs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f'{{"instruction": "question {i}", "output": "answer {i}"}}\n' for i in range(4))
    (tmp_path / "train.jsonl").write_text(rows)
    (tmp_path / "project.toml").write_text(
        'name = "small"\n[[data.source]]\nkind = "fields"\npath = "train.jsonl"\nuser = ["{instruction}"]\n'
    )
    return tmp_path


def test_slurm_writes_a_script_and_leaves_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", str(folder), "--set", "launch.processes=2", "--set", "launch.nodes=2"]) == 0
    (run,) = list_runs(folder)
    said = capsys.readouterr()
    assert said.out.strip() == str(run.folder / "job.sbatch") and "sbatch" in said.err
    assert "#SBATCH --nodes=2" in (run.folder / "job.sbatch").read_text()
    # Nodes that Slurm starts are not joined by hand
    assert main(["join", str(run.folder), "--node-rank", "1"]) == MISUSE
    assert "Slurm starts the nodes" in capsys.readouterr().err
    assert main(["join", str(run.folder), "--node-rank", "2"]) == MISUSE
    assert "no node 2 of this run" in capsys.readouterr().err


def test_submitting_without_slurm_makes_no_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["slurm", str(folder), "--submit"]) == MISUSE
    assert "there is no sbatch" in capsys.readouterr().err
    assert list_runs(folder) == []
