"""Several processes train one run: as one would, stopped together, and truthful when one of them is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from trainings import column, events, go, new_run

from workbench.engine.rank_batches import RankBatches
from workbench.engine.ranks import Ranks, join, wrapper_of
from workbench.errors import WorkbenchError
from workbench.project.launch import LaunchSettings
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.control import send
from workbench.runs.folder import Run, list_runs
from workbench.runs.launch import start
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import State, read_status

pytestmark = pytest.mark.slow

MakeProject = Callable[..., Path]

DEADLINE = 120.0
TWO = {"launch.processes": 2}


def until(run: Run, condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"no {what} in {seconds:.0f} s\n{run.console.read_text()[-3000:]}")
        time.sleep(0.02)
    return value


def finished(run: Run) -> Run:
    until(run, lambda: not is_held(run), "end")
    assert read_status(run).state is State.FINISHED, run.console.read_text()[-3000:]
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    folder = list_checkpoints(run)[-1].path
    return load_file(next(folder.glob("*model.safetensors")))


def require_the_same(one: Run, several: Run) -> None:
    """Losses, counts and final weights, to rounding."""
    for name in ("loss", "grad_norm", "token_accuracy", "sequence_accuracy"):
        assert column(several, name) == pytest.approx(column(one, name), abs=2e-5), name
    for name in ("elapsed_tokens", "elapsed_supervised_tokens", "elapsed_examples", "learning_rate"):
        assert column(several, name) == column(one, name), name
    for name in ("validation_loss", "token_accuracy", "sequence_accuracy"):
        found = column(several, name, "evaluated")
        assert found == pytest.approx(column(one, name, "evaluated"), abs=2e-5), name
    ours, theirs = weights(several), weights(one)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        torch.testing.assert_close(ours[name], values, atol=2e-5, rtol=1e-4, msg=name)


def test_two_processes_train_as_one_does(make_project: MakeProject) -> None:
    """33 rows in fours: in the last step of an epoch, the second process has no row at all."""
    settings = {"method": "full", "learning_rate": 1e-3, "eval_steps": 4, "data": {"validation": 7}}
    folder = make_project(max_steps=11, per_device_train_batch_size=4, **settings)
    one = new_run(folder)
    go(one)
    folder = make_project(max_steps=11, per_device_train_batch_size=2, **settings)
    two = finished(start(open_project(folder, None, TWO)))
    require_the_same(one, two)
    (begun,) = events(two, "started")
    assert (begun["world_size"], begun["wrapper"]) == (2, "DistributedDataParallel")
    assert begun["effective_batch"] == events(one, "started")[0]["effective_batch"] == 4
    assert events(one, "started")[0]["wrapper"] == "none"
    assert column(two, "step", "checkpoint") == column(one, "step", "checkpoint")
    assert len(events(two, "ended")) == 1


def ranks_of(run: Run) -> list[psutil.Process]:
    """Its processes by rank."""
    pid = holder_pid(run)
    assert pid is not None
    found = [child for child in psutil.Process(pid).children() if "rank_job" in " ".join(child.cmdline())]
    return sorted(found, key=lambda process: int(process.environ()["RANK"]))


def steps(run: Run) -> int:
    return max(column(run, "step"), default=0)


def test_a_lost_process_a_stop_and_a_lost_watcher(make_project: MakeProject) -> None:
    folder = make_project(
        max_steps=100_000, per_device_train_batch_size=2, save_steps=40, dropout=0.1, save_total_limit=1
    )
    project = open_project(folder, None, TWO)
    run = start(project)
    until(run, lambda: steps(run) >= 55, "step 55")
    ranks_of(run)[1].send_signal(signal.SIGKILL)
    until(run, lambda: not is_held(run), "end")
    status = read_status(run)
    assert status.state is State.FAILED
    assert status.reason.startswith("rank 1: process ") and "was ended by SIGKILL" in status.reason
    before = dict(zip(column(run, "step"), column(run, "loss"), strict=True))

    start(project, resume=run)
    until(run, lambda: len(events(run, "started")) == 2, "second start")
    resumed = events(run, "started")[1]["resumed_from"]
    assert resumed and resumed % 40 == 0
    until(run, lambda: read_status(run).step > max(before), "more steps")
    send(run, "pause")
    until(run, lambda: read_status(run).state is State.PAUSED, "pause")
    send(run, "checkpoint")
    until(run, lambda: list_checkpoints(run)[-1].step == steps_now(run), "checkpoint while it waits")
    send(run, "continue")
    paused_at = read_status(run).step
    until(run, lambda: read_status(run).step > paused_at, "step after the pause")
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    until(run, lambda: not is_held(run), "end")
    status = read_status(run)
    assert status.state is State.STOPPED, run.console.read_text()[-3000:]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)][-1] == status.step
    assert events(run, "command")[-1]["reason"] == "SIGTERM received"
    seconds = second_attempt(run)
    common = before.keys() & seconds.keys()
    assert len(common) > 10 and all(before[step] == seconds[step] for step in common)

    start(project, resume=run)
    ranks = until(run, lambda: ranks_of(run), "process of the third attempt")
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(ranks, timeout=10.0)
    assert alive == [] and read_status(run).state is State.KILLED


def steps_now(run: Run) -> int:
    return read_status(run).step


def second_attempt(run: Run) -> dict[int, float]:
    """Step to loss, as logged after the second start."""
    every = events(run, "started", "step")
    begun = [index for index, event in enumerate(every) if event["kind"] == "started"][1]
    return {event["step"]: event["loss"] for event in every[begun + 1 :]}


def test_other_than_the_runs_number_of_processes_is_refused(make_project: MakeProject) -> None:
    with pytest.raises(WorkbenchError, match="1 of 2 processes take part"):
        join(LaunchSettings(processes=2))
    with pytest.raises(WorkbenchError, match="2 processes, and the model is a Linear"):
        wrapper_of(torch.nn.Linear(1, 1), Ranks(0, 2))
    run = new_run(make_project(), **TWO)
    with pytest.raises(WorkbenchError, match="1 of 2 processes take part"):
        go(run)
    assert events(run, "started") == []


@given(rows=st.integers(1, 60), size=st.integers(1, 5), world=st.integers(2, 5), seed=st.integers(0, 3))
def test_the_ranks_share_out_what_one_process_would_take(rows: int, size: int, world: int, seed: int) -> None:
    parts = [RankBatches(rows, size, Ranks(rank, world), seed) for rank in range(world)]
    (one,) = [RankBatches(rows, size * world, Ranks(0, 1), seed)]
    for epoch in range(2):
        for each in (one, *parts):
            each.set_epoch(epoch)
        rounds = list(zip(*parts, strict=True))
        assert [sum(pieces, []) for pieces in rounds] == list(one)
        assert len(rounds) == len(one) == len(parts[0])
        assert all(len(piece) <= size for pieces in rounds for piece in pieces)


A, B = f"wb{os.getpid()}a", f"wb{os.getpid()}b"


@pytest.fixture
def two_nodes() -> Iterator[None]:
    """Two network namespaces with a cable between them, 10.231.7.1 and 10.231.7.2."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    link = f"v{os.getpid()}"
    commands = [
        f"netns add {A}",
        f"netns add {B}",
        f"link add {link}a netns {A} type veth peer name {link}b netns {B}",
        f"-n {A} addr add 10.231.7.1/24 dev {link}a",
        f"-n {B} addr add 10.231.7.2/24 dev {link}b",
        *(f"-n {space} link set {name} up" for space in (A, B) for name in ("lo", f"{link}{space[-1]}")),
    ]
    try:
        for command in commands:
            done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no network namespaces here: ip {command}: {done.stderr.strip()}")
        yield
    finally:
        for space in (A, B):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


def on(node: str, *words: str) -> None:
    command = ["ip", "netns", "exec", node, sys.executable, "-m", "workbench", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_two_nodes_train_as_one_does(make_project: MakeProject, two_nodes: None) -> None:
    settings = {"eval_steps": 4, "data": {"validation": 7}, "max_steps": 6}
    one = new_run(make_project(per_device_train_batch_size=4, **settings))
    go(one)
    folder = make_project(per_device_train_batch_size=2, **settings)
    given = ["launch.nodes=2", "launch.rendezvous=10.231.7.1:29517"]
    on(A, "train", str(folder), "--detach", *(word for each in given for word in ("--set", each)))
    run = list_runs(folder)[0]
    on(B, "join", str(run.folder), "--node-rank", "1")
    require_the_same(one, finished(run))
    assert events(run, "started")[0]["world_size"] == 2
