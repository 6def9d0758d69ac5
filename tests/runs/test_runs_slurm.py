"""Runs as jobs of Slurm, with stand-ins for its programs: the script, the queue, the way back, refusals."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from run_helpers import all_events, until

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import control, slurm
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.launch import start
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import State, read_status

FAKE = """#!{python}
# Stand-in for Slurm on this machine: a held job begins when it is released; `scontrol requeue` begins it anew
import os, subprocess, sys
from pathlib import Path
here = Path(__file__).parent
name, words = Path(__file__).name, sys.argv[1:]
with (here / "asked").open("a") as asked:
    asked.write(" ".join([name, *words]) + "\\n")
if name == "sbatch":
    if (here / "refuses").exists():
        sys.exit("Batch job submission failed: Invalid partition name specified")
    (here / "script").write_text(words[-1])
    print("17;here")
elif name == "scontrol" and words[0] in ("release", "requeue"):
    environment = dict(os.environ) | {{"SLURM_JOB_ID": "17", "SLURM_NODEID": "0"}}
    script = (here / "script").read_text()
    output = next(line for line in open(script) if "--output=" in line).strip().partition("=")[2].strip('"')
    with open(output, "ab") as out:
        subprocess.Popen(["bash", script], env=environment, stdout=out, stderr=out, start_new_session=True)
elif name == "srun":
    os.execvp(words[0], words)
"""


@pytest.fixture
def fake_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with the stand-ins; `asked` has their command lines."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name in ("sbatch", "scontrol", "scancel", "srun"):
        (folder / name).write_text(FAKE.format(python=sys.executable))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def on_slurm(project: OpenProject, **overrides: Any) -> OpenProject:
    return open_project(project.folder, None, {"launch.launcher": "slurm", **overrides})


def test_the_script_can_be_read(project: OpenProject) -> None:
    given = {"launch.nodes": 2, "launch.processes": 4, "launch.slurm_options": ["--partition=gpu"]}
    made = on_slurm(project, **given)
    options = made.settings.launch.slurm_options
    run = start(made, hand_over=lambda run, warnings: slurm.write_script(run, options))
    assert read_status(run).state is State.NEW
    script = run.folder / slurm.SCRIPT
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    for line in ("--requeue", "--signal=TERM@180", "--nodes=2", "--ntasks-per-node=1", "--partition=gpu"):
        assert f"#SBATCH {line}" in lines
    assert f"#SBATCH --output={run.folder / 'console.log'}" in lines
    (started,) = [line for line in lines if line.startswith("srun ")]
    assert '--nnodes 2 --node-rank "$SLURM_NODEID" --master-addr "$MASTER_ADDR"' in started
    assert "--nproc-per-node 4" in started and str(run.folder) in started
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_one_process_sees_one_gpu(project: OpenProject) -> None:
    run = start(on_slurm(project), hand_over=lambda run, warnings: slurm.write_script(run))
    text = (run.folder / slurm.SCRIPT).read_text()
    assert "workbench.engine.train_job" in text and "export CUDA_VISIBLE_DEVICES=${GPUS%%,*}" in text


def test_a_run_waits_and_is_taken_back(project: OpenProject, fake_slurm: Path) -> None:
    (fake_slurm / "scontrol").write_text("#!/bin/sh\n")  # nothing begins
    run = start(on_slurm(project, **{"launch.slurm_options": ["--time=1:00:00"]}))
    status = read_status(run)
    assert (status.state, status.job, is_held(run)) == (State.QUEUED, 17, False)
    assert "waiting in Slurm" in status.reason and "job 17" in status.reason
    assert "#SBATCH --time=1:00:00" in (run.folder / slurm.SCRIPT).read_text()
    with pytest.raises(WorkbenchError, match="waits in Slurm as job 17: workbench stop"):
        control.send(run, "stop")
    with pytest.raises(WorkbenchError, match="waits in Slurm, as job 17"):
        start(on_slurm(project), resume=run)
    assert slurm.cancel(run) == 17
    assert "scancel 17" in (fake_slurm / "asked").read_text().splitlines()
    assert (read_status(run).state, read_status(run).job) == (State.STOPPED, None)
    with pytest.raises(WorkbenchError, match="does not wait"):
        slurm.cancel(run)


def test_a_slurm_that_refuses_or_is_not_there(
    project: OpenProject, fake_slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake_slurm / "refuses").touch()
    with pytest.raises(WorkbenchError, match="Invalid partition name"):
        start(on_slurm(project))
    (run,) = [Run(folder) for folder in (project.folder / "runs").iterdir()]
    assert read_status(run).state is State.FAILED and not is_held(run)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(WorkbenchError, match="there is no sbatch"):
        start(on_slurm(project))
    assert len(list((project.folder / "runs").iterdir())) == 1


SIGNAL = {"name": "stop", "acknowledged": True, "reason": "SIGTERM received"}


@pytest.mark.parametrize(
    ("attempt", "goes_back"),
    [
        (
            [("started", {}), ("step", {"step": 1}), ("command", SIGNAL), ("ended", {"state": "stopped"})],
            True,
        ),
        ([("preparing", {}), ("ended", {"state": "stopped", "reason": "SIGTERM received; a resume"})], True),
        ([("started", {}), ("command", SIGNAL | {"reason": ""}), ("ended", {"state": "stopped"})], False),
        ([("started", {}), ("command", SIGNAL), ("ended", {"state": "finished"})], False),
        ([("started", {}), ("command", SIGNAL), ("ended", {"state": "failed"})], False),
        ([("started", {}), ("step", {"step": 1})], False),
        ([("command", SIGNAL), ("started", {}), ("ended", {"state": "stopped"})], False),
    ],
)
def test_only_what_the_batch_system_stopped_goes_back(
    run: Run, fake_slurm: Path, attempt: list[tuple[str, dict[str, Any]]], goes_back: bool
) -> None:
    (fake_slurm / "scontrol").write_text(f"#!/bin/sh\necho scontrol $@ >> {fake_slurm}/asked\n")
    events = EventWriter(run.events)
    events.write("queued", system="slurm", job=17)
    for kind, fields in attempt:
        events.write(kind, **({"phase": "x", "step": None, "reason": ""} | fields))
    assert slurm.go_back(run, 17) is goes_back
    assert (fake_slurm / "asked").exists() is goes_back
    assert (read_status(run).state is State.QUEUED) is goes_back


def test_a_job_that_gets_nowhere_does_not_go_back_for_ever(run: Run, fake_slurm: Path) -> None:
    (fake_slurm / "scontrol").write_text("#!/bin/sh\n")
    events = EventWriter(run.events)
    for number in range(slurm.IDLE_ATTEMPTS):
        if not number:
            events.write("queued", system="slurm", job=17)
        events.write("preparing", phase="starting", done=0, total=0)
        events.write("ended", state="stopped", step=None, reason="SIGTERM received; a resume goes on")
        if number < slurm.IDLE_ATTEMPTS - 1:
            assert slurm.go_back(run, 17)
    with pytest.raises(WorkbenchError, match="before a step was done"):
        slurm.go_back(run, 17)
    assert read_status(run).state is State.STOPPED


def test_a_job_that_slurm_does_not_take_back_is_stopped(run: Run, fake_slurm: Path) -> None:
    (fake_slurm / "scontrol").write_text("#!/bin/sh\necho 'Job/step already completing' >&2; exit 1\n")
    events = EventWriter(run.events)
    events.write("queued", system="slurm", job=17)
    events.write("ended", state="stopped", step=3, reason="SIGTERM received")
    with pytest.raises(WorkbenchError, match="already completing"):
        slurm.go_back(run, 17)
    assert read_status(run).state is State.STOPPED
    assert "did not take the job back" in read_status(run).reason


@pytest.mark.slow
def test_a_job_trains_goes_back_and_is_resumed(project: OpenProject, fake_slurm: Path) -> None:
    """The real training: stopped by the signal before the time limit, resumed, then stopped by a person."""
    given = {"training.max_steps": 100_000, "data.validation": 0, "training.save_steps": 0}
    run = start(on_slurm(project, **given))
    until(lambda: read_status(run).step > 0, "step", 120)
    assert read_status(run).state is State.RUNNING
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    until(lambda: len([each for each in all_events(run) if each["kind"] == "started"]) == 2, "resume", 120)
    resumed = [each["resumed_from"] for each in all_events(run) if each["kind"] == "started"][1]
    assert resumed == list_checkpoints(run)[-1].step > 0
    until(lambda: read_status(run).step > resumed, "step", 120)
    control.send(run, "stop")
    until(lambda: not is_held(run), "end", 120)
    assert read_status(run).state is State.STOPPED
    asked = (fake_slurm / "asked").read_text()
    assert asked.count("scontrol requeue 17") == 1 and asked.count("sbatch --parsable --hold ") == 1
