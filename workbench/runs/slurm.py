"""A run as a job of Slurm: a script that a person can read, its submission, and going back into the queue.

The job's processes take the run's lock where they start. While it waits for them, a `queued` event says so;
files cannot tell that somebody took the job out of the queue with scancel.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import workbench
from workbench.errors import WorkbenchError, fault
from workbench.project.files import write_atomic
from workbench.project.launch import LaunchSettings
from workbench.runs import control
from workbench.runs.events import Event, EventTail, EventWriter
from workbench.runs.folder import Run, read_spec
from workbench.runs.lock import hold
from workbench.runs.spawn import TRAINER, WATCHER, trainer_environment
from workbench.runs.status import last_word

SCRIPT = "job.sbatch"
SIGNAL = "TERM@180"
"""Three minutes before the time limit: for a step, a checkpoint, and the way back into the queue."""

FIRST_PORT, PORTS = 20000, 10000
"""Where ranks meet: a port by the job's number, so that two jobs on a node do not meet each other."""

IDLE_ATTEMPTS = 2
"""After so many jobs without a step it does not go back into the queue: it would for ever."""

ASK_SECONDS = 60.0


def write_script(run: Run, options: Sequence[str] = ()) -> Path:
    """Write the script that trains `run` into its folder.

    Args:
        options: further ones of sbatch.

    Raises:
        WorkbenchError: it cannot be written.
    """
    script = run.folder.absolute() / SCRIPT
    write_atomic(script, job_script(run, read_spec(run).project.launch, options))
    return script


def job_script(run: Run, launch: LaunchSettings, options: Sequence[str] = ()) -> str:
    """What sbatch is given: options, environment, one process on each node, the way back into the queue."""
    folder, python = run.folder.absolute(), shlex.quote(sys.executable)
    lines = [
        f"--job-name={_quoted(run.id)}",
        f"--output={_quoted(str(folder / 'console.log').replace('%', '%%'))}",
        "--open-mode=append",
        f"--nodes={launch.nodes}",
        "--ntasks-per-node=1",
        "--requeue",
        f"--signal={SIGNAL}",
        *options,
    ]
    home = str(Path(workbench.__file__).parents[1])
    exported = {"PYTHONPATH": home} | _changed(trainer_environment(os.environ, processes=0))
    start = _start(folder, launch)
    return "\n".join(
        [
            "#!/bin/bash",
            f"# Trains the run {run.id}; written by workbench.",
            f"# By hand: sbatch {shlex.quote(str(folder / SCRIPT))}",
            *(f"#SBATCH {line}" for line in lines),
            "",
            *(f"export {name}={shlex.quote(value)}" for name, value in exported.items()),
            "",
            *start,
            "",
            "# Where the time limit or a preemption stopped it, it goes back into the queue and is resumed",
            f'exec {python} -m workbench.runs.slurm {shlex.quote(str(folder))} "$SLURM_JOB_ID"',
            "",
        ]
    )


def _changed(environment: Mapping[str, str]) -> dict[str, str]:
    """What is not as in this process, whose environment sbatch hands on."""
    return {name: value for name, value in environment.items() if os.environ.get(name) != value}


def _start(folder: Path, launch: LaunchSettings) -> list[str]:
    python, run = shlex.quote(sys.executable), shlex.quote(str(folder))
    if launch.world_size == 1:
        # transformers would spread every micro-batch over all GPUs it sees
        first = "GPUS=${CUDA_VISIBLE_DEVICES:-0}; export CUDA_VISIBLE_DEVICES=${GPUS%%,*}"
        return [f"srun bash -c {shlex.quote(f'{first}; exec {python} -m {TRAINER} {run}')}"]
    ranks = f"exec {python} -m {WATCHER} {run} --nproc-per-node {launch.processes}"
    if launch.nodes == 1:
        return [f"srun bash -c {shlex.quote(f'{ranks} --standalone')}"]
    ranks += f' --nnodes {launch.nodes} --node-rank "$SLURM_NODEID"'
    ranks += ' --master-addr "$MASTER_ADDR" --master-port "$MASTER_PORT"'
    return [
        "# Node 0 of the job is where the ranks meet, and the one that writes",
        'export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        f"export MASTER_PORT=$(({FIRST_PORT} + SLURM_JOB_ID % {PORTS}))",
        f"srun bash -c {shlex.quote(ranks)}",
    ]


def submit(run: Run, options: Sequence[str] = (), warnings: Sequence[str] = ()) -> int:
    """Hand the run to Slurm; returns the number of its job.

    Args:
        options: further ones of sbatch.
        warnings: go into its events.

    Raises:
        WorkbenchError: Slurm is not there or refuses, or the run is going on or waits already.
    """
    require_slurm()
    held = hold(run)
    events = EventWriter(run.events)
    try:
        if job := waiting_job(run):
            raise fault(f"this run waits in Slurm already, as job {job}", run.id, f"scancel {job}")
        control.clear(run)
        for message in warnings:
            events.write("warning", message=message)
        script = write_script(run, options)
        # The job may begin before this returns, and must find the lock free and its `queued` event written
        answer = _ask("sbatch", "--parsable", "--hold", str(script))
        job = int(answer.partition(";")[0])
        events.write("queued", system="slurm", job=job)
        events.sync()
    except WorkbenchError as error:
        events.write("ended", state="failed", step=None, reason=str(error))
        raise
    finally:
        os.close(held)
        events.close()
    _ask("scontrol", "release", str(job))
    return job


def go_back(run: Run, job: int) -> bool:
    """At a job's end: back into the queue where the batch system stopped the run, not a person.

    Raises:
        WorkbenchError: Slurm does not take the job back, or it gets nowhere in the time that it has.
    """
    events_so_far = _events(run)
    if not _stopped_by_signal(events_so_far):
        return False
    if _idle_attempts(events_so_far) >= IDLE_ATTEMPTS:
        what = f"{IDLE_ATTEMPTS} times in a row the job's time was up before a step was done"
        raise fault(what, run.id, "give it a longer time limit: --time in launch.slurm_options")
    held = hold(run)
    events = EventWriter(run.events)
    try:
        control.clear(run)
        # First: this process ends with its job
        events.write("queued", system="slurm", job=job)
        events.sync()
        _ask("scontrol", "requeue", str(job))
    except WorkbenchError as error:
        reason = f"Slurm did not take the job back: {error.problems[0].what}"
        events.write("ended", state="stopped", step=last_word(run).step, reason=reason)
        raise
    finally:
        os.close(held)
        events.close()
    return True


def cancel(run: Run) -> int:
    """Take a run that waits out of Slurm's queue; returns the number of the job it was.

    Raises:
        WorkbenchError: it does not wait, or Slurm refuses.
    """
    job = waiting_job(run)
    if not job:
        raise fault("this run does not wait in Slurm", run.id)
    require_slurm("scancel")
    _ask("scancel", str(job))
    held = hold(run)
    events = EventWriter(run.events)
    events.write("ended", state="stopped", step=last_word(run).step, reason=f"job {job} was taken back")
    events.close()
    os.close(held)
    return job


def waiting_job(run: Run) -> int | None:
    """The job that the run waits for, as far as its files tell."""
    return last_word(run).job


def _stopped_by_signal(events: Sequence[Event]) -> bool:
    """The last attempt ended because of a signal: what Slurm sends before it takes the nodes away."""
    if not events or events[-1]["kind"] != "ended" or events[-1].get("state") != "stopped":
        return False
    if str(events[-1].get("reason") or "").startswith("SIG"):
        return True
    for event in reversed(events):
        if event["kind"] == "started":
            return False
        if event["kind"] == "command" and event.get("name") == "stop" and event.get("acknowledged"):
            return str(event.get("reason") or "").startswith("SIG")
    return False


def _idle_attempts(events: Sequence[Event]) -> int:
    """How many times in a row, up to now, it came out of the queue and took no step."""
    idle = 0
    for event in reversed(events):
        if event["kind"] == "step":
            break
        idle += event["kind"] == "queued"
    return idle


def _events(run: Run) -> list[Event]:
    return EventTail(run.events).read(max_records=sys.maxsize, max_seconds=600)


def require_slurm(program: str = "sbatch") -> None:
    """Refuse, with a WorkbenchError, where Slurm's programs are not installed."""
    if shutil.which(program) is None:
        hint = "start it on a login node of the cluster, or set launch.launcher to local"
        raise fault(f"Slurm is not here: there is no {program}", hint=hint)


def _ask(*command: str) -> str:
    """The answer of one of Slurm's programs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise fault(f"{command[0]} does not answer: {error}") from error
    if done.returncode:
        raise fault(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout.strip()


def _quoted(text: str) -> str:
    """For an #SBATCH line, which knows double quotes."""
    return text if shlex.quote(text) == text else f'"{text}"'


if __name__ == "__main__":
    try:
        go_back(Run(Path(sys.argv[1])), int(sys.argv[2]))
    except WorkbenchError as problem:
        sys.exit(str(problem))
