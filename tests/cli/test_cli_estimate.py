"""`workbench estimate`, and `train --from-oom`, as a person would type them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli import main
from workbench.project.store import open_project
from workbench.runs.events import EventWriter
from workbench.runs.folder import create_run
from workbench.runs.forecast.measurements import Measurement, remember
from workbench.runs.forecast.shape import read_shape

Workbench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_estimate_says_parts_range_verdict_time_and_disk(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "small"]) == 0
    told = capsys.readouterr().out
    for part in ("w weights", "o optimiser", "v activations", "h overhead", "free: fits", "disk: "):
        assert part in told, told
    assert "4 steps" in told and "unknown until measured" in told
    assert "range +-35%: nothing like it was measured" in told


def test_estimate_as_json_adds_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "small", "--json", "--set", "training.method=full"]) == 0
    found = json.loads(capsys.readouterr().out)
    memory = found["memory"]
    assert sum(memory["parts"].values()) == memory["total"] and memory["low"] < memory["total"]
    assert memory["parts"]["optimiser"] == 8 * memory["trainable"]
    assert found["duration"]["steps"] == 4 and found["duration"]["seconds"] is None
    assert found["verdict"] == "fits" and found["plan"] == [] and found["measured"] is None
    assert found["disk"]["total"] <= found["disk"]["free"]


def test_too_much_is_a_finding_with_a_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.machine import capacity as box
    from workbench.runs.forecast.capacity import Capacity

    monkeypatch.setattr(box, "capacity", lambda: Capacity("host", "host", 2**30, 2**20))
    assert main(["estimate", "small"]) == 1
    assert "does not fit" in capsys.readouterr().out


def test_speed_and_correction_come_from_this_box(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench import embedded
    from workbench.machine.capacity import capacity

    box = capacity()
    model = read_shape(embedded.FOLDER).key
    remember(
        Measurement(
            1.0, box.device, box.total, model, "lora-none-batch", 10**7, 10**9, 2 * 10**9, 50.0, "measure"
        )
    )
    assert main(["estimate", "small"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "corrected by 1 measurement of this box, last error -50%" in told
    assert "at 50 tokens/s (a measurement of this box)" in told


def test_a_run_that_ran_out_starts_anew_with_less(folder: Path, workbench: Workbench) -> None:
    run = create_run(open_project(folder), ["test"], {}, "the template")
    refused = workbench("train", "small", "--from-oom", run.id)
    assert refused.returncode == 2 and "did not end for want of memory" in refused.stderr
    events = EventWriter(run.events)
    sizes = {"peak_bytes": 600 * 2**20, "capacity_bytes": 640 * 2**20}
    events.write("started", attempt=1, device="CPU, 1 threads", precision="fp32")
    events.write("oom", step=0, micro_batch=2, accumulation=1, tokens=9000, answer="none", **sizes)
    events.close()
    done = workbench("train", "small", "--from-oom", run.id, "--json")
    assert done.returncode == 0, done.stderr
    assert "micro-batch 1, the same effective batch" in done.stderr
    first, *told = map(json.loads, done.stdout.splitlines())
    assert first["id"] != run.id and told[-1]["state"] == "finished"
    spec = json.loads((Path(first["folder"]) / "spec.json").read_text())
    assert spec["project"]["training"]["per_device_train_batch_size"] == 1
    assert spec["overrides"]["training.gradient_accumulation_steps"] == 2
