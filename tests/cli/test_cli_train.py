"""Whole trainings from the command line, four steps long, with the base model that comes along."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from workbench.runs.folder import Run, list_runs
from workbench.runs.status import State, read_status

Workbench = Callable[..., subprocess.CompletedProcess[str]]


def test_train_then_ask_its_checkpoint(folder: Path, workbench: Workbench) -> None:
    done = workbench("train", "small", "--json", "--set", "training.rank=4")
    assert (done.returncode, done.stderr.splitlines()[-1].split(": ")[-1]) == (0, "finished")
    first, *events = map(json.loads, done.stdout.splitlines())
    (run,) = list_runs(folder)
    assert first == {"kind": "run", "id": run.id, "folder": str(run.folder)}
    assert [event["step"] for event in events if event["kind"] == "step"] == [1, 2, 3, 4]
    assert events[-1]["kind"] == "ended" and events[-1]["state"] == "finished"

    assert "\nverdict: " in workbench("watch", "latest").stderr
    shown = workbench("show", "latest").stdout
    assert "--set training.rank=4" in shown and "checkpoint step 4" in shown

    refused = workbench("chat", "small", "--run", "latest", "--checkpoint", "3", input="hi\n")
    assert refused.returncode == 2 and "there are: 4, 2" in refused.stderr and refused.stdout == ""
    flags = ("--run", run.id, "--checkpoint", "2", "--json", "--set", "chat.max_new_tokens=4")
    answer = workbench("chat", "small", *flags, input="What is 3?\n")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["prompt"] == "What is 3?" and json.loads(answer.stdout)["tokens"] <= 4

    again = workbench("train", "small", "--resume", "latest")
    assert again.returncode == 2 and "is finished" in again.stderr


def test_failed_training_is_a_finding(folder: Path, workbench: Workbench) -> None:
    """A layer that the model lacks: only loading the model shows it."""
    done = workbench("train", "small", "--detach", "--set", 'training.target_modules=["nowhere"]')
    assert done.returncode == 0 and "workbench watch" in done.stderr
    run = Run(folder / "runs" / done.stdout.strip())
    watched = workbench("watch", str(run.folder))
    assert watched.returncode == 1 and "Traceback" not in watched.stderr
    assert f"{run.id}: failed" in watched.stderr and str(run.console) in watched.stderr
    assert read_status(run).state is State.FAILED
