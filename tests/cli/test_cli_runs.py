"""Following, listing, commanding and ending runs; a stand-in trains, the processes and signals are real."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_helpers import DEADLINE, ENVIRONMENT, until

from workbench.cli import main
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import State, read_status

ENDLESS = {"pause": 0.01}


def stepping(run: Run) -> None:
    until(lambda: read_status(run).step, "step")


def watching(run: Run, *flags: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "workbench", "watch", str(run.folder), *flags]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True)
    stream = process.stdout if flags else process.stderr
    assert stream is not None
    until(lambda: "step" in stream.readline(), "step that is shown")
    return process


def test_ctrl_c_leaves_the_run_going(fake_run: Callable[..., Run]) -> None:
    run = fake_run(**ENDLESS)
    process = watching(run)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert f"left running: {run.id}" in told and f"workbench stop {run.folder}" in told
    step = read_status(run).step
    until(lambda: read_status(run).step > step, "step after the watching ended")
    assert is_held(run)


def test_reader_that_goes_away_leaves_the_run_going(fake_run: Callable[..., Run]) -> None:
    run = fake_run(**ENDLESS)
    process = watching(run, "--json")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(DEADLINE) == 0
    told = process.stderr.read()
    assert "left running" in told and "Traceback" not in told and "Exception" not in told
    assert is_held(run)


def test_killed_trainer_is_a_finding(fake_run: Callable[..., Run]) -> None:
    run = fake_run(**ENDLESS)
    process = watching(run)
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert f"{run.id}: killed" in told and str(run.console) in told and "Traceback" not in told


def test_stop_ends_with_a_checkpoint(
    fake_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run = fake_run(**ENDLESS)
    stepping(run)
    assert main(["stop", run.id]) == 0
    assert main(["watch", "latest"]) == 0
    assert f"{run.id}: stopped" in capsys.readouterr().err
    assert len(list_checkpoints(run)) == 1
    assert main(["stop", "latest"]) == 2
    assert "not going on: it is stopped" in capsys.readouterr().err


def test_stop_now_ends_a_deaf_run(
    fake_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("workbench.runs.control.stop_now.__defaults__", (0.1,))
    run = fake_run(deaf=True, **ENDLESS)
    stepping(run)
    assert main(["stop", "latest", "--now"]) == 0
    assert "was ended" in capsys.readouterr().err
    assert not is_held(run) and read_status(run).state is State.STOPPED


def test_checkpoint_while_it_runs(fake_run: Callable[..., Run]) -> None:
    run = fake_run(**ENDLESS)
    stepping(run)
    assert main(["checkpoint", str(run.folder)]) == 0
    until(lambda: list_checkpoints(run), "checkpoint")
    assert is_held(run)


def test_list_and_show(fake_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "small"]) == 0
    assert "no runs yet" in capsys.readouterr().err
    run = fake_run(steps=5)
    until(lambda: not is_held(run), "end")
    assert main(["runs", "small"]) == 0
    titles, line = capsys.readouterr().out.splitlines()
    assert line.split() == [run.id, "small", "finished", "5/5", "0.2000"]
    assert main(["runs", "small", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["state"], listed["loss"]) == (run.id, "finished", 0.2)
    assert main(["show", "latest"]) == 0
    told = capsys.readouterr().out
    assert run.id in told and "checkpoint step 5" in told and "loss" in told
    assert main(["show", "latest", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["curves"]["loss"] == [[1, 2, 3, 4, 5], pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])]
    assert shown["spec"]["project"]["name"] == "small"
    assert [each["step"] for each in shown["checkpoints"]] == [5]


def test_nan_is_shown_as_nan(fake_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]) -> None:
    run = fake_run(steps=2)
    until(lambda: not is_held(run), "end")
    events = EventWriter(run.events)
    events.write("step", step=3, epoch=0.0, loss=float("nan"), learning_rate=1e-3)
    events.close()
    for words in (["runs"], ["show", "latest"], ["watch", "latest"]):
        main(words)
        told = capsys.readouterr()
        assert "nan" in told.out + told.err
    for words in (["runs", "--json"], ["show", "latest", "--json"]):
        assert main(words) == 0
        json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    main(["watch", "latest", "--json"])
    for line in capsys.readouterr().out.splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_names_are_not_cut_in_a_pipe(
    folder: Path, fake_run: Callable[..., Run], workbench: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run = fake_run(steps=1)
    until(lambda: not is_held(run), "end")
    long = folder.rename(folder.with_name("a-project-with-a-name-" + "x" * 150))
    assert long.name in workbench("runs", ".").stdout


def test_pause_and_continue_are_seen_everywhere(
    fake_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run = fake_run(**ENDLESS)
    stepping(run)
    assert main(["pause", "latest"]) == 0
    until(lambda: read_status(run).state is State.PAUSED, "pause")
    step = read_status(run).step
    assert main(["runs", "small"]) == 0 and main(["show", "latest"]) == 0
    told = capsys.readouterr().out
    assert "paused" in told.splitlines()[1] and "state      paused" in told
    assert main(["pause", "latest"]) == 2
    assert "paused already" in capsys.readouterr().err
    assert main(["continue", "latest"]) == 0
    until(lambda: read_status(run).step > step, "step after the pause")
    assert main(["pause", "latest"]) == 0
    until(lambda: read_status(run).state is State.PAUSED, "second pause")
    assert main(["stop", "latest"]) == 0
    assert main(["watch", "latest"]) == 0
    told = capsys.readouterr().err
    assert "paused" in told and "goes on after" in told and f"{run.id}: stopped" in told
    assert main(["show", "latest"]) == 0
    assert "paused     2 times" in capsys.readouterr().out


def test_samples_and_other_words_of_a_run(
    fake_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run = fake_run(**ENDLESS)
    stepping(run)
    for words in (["validate", "latest"], ["sample", "latest"], ["logging", "latest", "5"]):
        assert main(words) == 0
    assert main(["logging", "latest", "0"]) == 2
    assert "1 or more" in capsys.readouterr().err
    main(["stop", "latest"])
    until(lambda: not is_held(run), "end")
    assert main(["sample", "latest"]) == 2
    events = EventWriter(run.events)
    said = {"prompt": "why?", "answer": "be\x1b[2Jcause", "tokens": 3, "stopped": True}
    events.write("sample", step=7, row=2, **said)
    numbers = {"micro_batch": 8, "accumulation": 1, "tokens": 99, "peak_bytes": 1, "capacity_bytes": 2}
    events.write("oom", step=7, answer="halved", **numbers)
    events.close()
    capsys.readouterr()
    main(["watch", "latest"])
    told = capsys.readouterr().err
    assert "step 7  row 2 asked: why?" in told and "cause" in told and "\x1b" not in told
    assert "out of memory with micro-batch 8, accumulation 1: halved" in told
    for name in ("validate", "sample", "logging"):
        assert f"{name}: taken up" in told
    assert main(["show", "latest"]) == 0
    told = capsys.readouterr().out
    assert "sample     step 7, row 2: be" in told and "memory     after step 7: out of memory" in told
    assert main(["show", "latest", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"][0]["answer"] == said["answer"]
