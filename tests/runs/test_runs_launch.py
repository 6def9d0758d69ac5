"""Starting runs that outlive everything around them, and refusing what would not end well."""

import json
import os
import pty
import shutil
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from run_helpers import all_events, until

from workbench import embedded
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import control, spawn
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run, list_runs, read_spec
from workbench.runs.launch import Argv, launch, start
from workbench.runs.lock import holder_pid, is_held
from workbench.runs.status import State, read_status

MakeTrainer = Callable[..., Argv]


def stepping(run: Run) -> bool:
    return read_status(run).step > 0


def stopped(project: OpenProject, argv: Argv, **arguments: Any) -> Run:
    run = start(project, argv=argv, **arguments)
    until(lambda: stepping(run), "step")
    control.send(run, "stop")
    until(lambda: not is_held(run), "end")
    return run


def environment(run: Run) -> dict[str, Any]:
    file = run.folder / "environment.json"
    return until(lambda: stepping(run) and json.loads(file.read_text()), "environment")  # type: ignore[no-any-return]


def test_a_run_is_running_from_the_moment_it_is_started(project: OpenProject, trainer: MakeTrainer) -> None:
    run = start(project, argv=trainer(steps=50))
    assert read_status(run).state in (State.RUNNING, State.FINISHED)
    until(lambda: not is_held(run), "end")
    assert (read_status(run).state, read_status(run).step) == (State.FINISHED, 50)
    assert run.console.read_text() == "console output\n"
    assert {"data", "template", "tokenizer", "base_model"} == read_spec(run).fingerprints.keys()
    assert "<|" in read_spec(run).template.source
    assert list_runs(project.folder) == [run]


def test_its_process_is_on_its_own(run: Run, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    launch(run, trainer())
    seen = environment(run)
    assert seen["sid"] == seen["pid"] == holder_pid(run)
    assert seen["PYTHONUNBUFFERED"] == seen["HF_HUB_DISABLE_TELEMETRY"] == seen["DO_NOT_TRACK"] == "1"
    assert (seen["OMP_WAIT_POLICY"], seen["TOKENIZERS_PARALLELISM"]) == ("ACTIVE", "false")


def test_one_gpu_of_several_is_used_unless_the_user_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, expected in ((0, None), (1, None), (4, "0")):
        monkeypatch.setattr(spawn, "count_gpus", lambda count=count: count)
        assert spawn.trainer_environment({}).get("CUDA_VISIBLE_DEVICES") == expected
        assert spawn.trainer_environment({"CUDA_VISIBLE_DEVICES": "2,3"})["CUDA_VISIBLE_DEVICES"] == "2,3"


def test_the_trainer_is_a_module_of_this_python(run: Run) -> None:
    assert spawn.trainer_argv(run) == [sys.executable, "-m", "workbench.engine.train_job", str(run.folder)]


def test_it_outlives_the_terminal_it_was_started_from(run: Run, trainer: MakeTrainer) -> None:
    """The screen runs in a terminal; the terminal goes away, and the screen with it."""
    argv = trainer()
    screen, terminal = pty.fork()
    if screen == 0:
        try:
            launch(run, argv)
            signal.pause()
        finally:
            os._exit(1)
    until(lambda: stepping(run), "step")
    argv(run)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(screen, 0)[1]) == -signal.SIGHUP
    before = read_status(run).step
    until(lambda: read_status(run).step > before + 20, "more steps")
    assert read_status(run).state is State.RUNNING


def test_a_killed_run_is_shown_as_killed_within_two_seconds(run: Run, trainer: MakeTrainer) -> None:
    launch(run, trainer())
    until(lambda: stepping(run), "step")
    pid = holder_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: read_status(run).state is State.KILLED, "state", 2.0)
    assert "without a word" in read_status(run).reason


def test_a_process_that_dies_before_its_first_event_is_not_shown_as_new(
    run: Run, trainer: MakeTrainer
) -> None:
    launch(run, trainer(die_before=True))
    until(lambda: read_status(run).state is State.KILLED, "state")


def test_a_command_that_cannot_be_started_is_a_failed_run(run: Run) -> None:
    with pytest.raises(WorkbenchError, match="cannot be started"):
        launch(run, lambda run: [str(run.folder / "no such program")])
    assert read_status(run).state is State.FAILED
    assert not is_held(run)


def test_a_stopped_run_goes_on_and_old_commands_do_not(project: OpenProject, trainer: MakeTrainer) -> None:
    run = stopped(project, trainer())
    step = list_checkpoints(run)[-1].step
    (run.control / "1-stop.json").write_text('{"v": 1, "name": "stop"}')
    assert start(project, resume=run, argv=trainer(steps=step + 30)) == run
    until(lambda: not is_held(run), "end")
    assert (read_status(run).state, read_status(run).step) == (State.FINISHED, step + 30)
    assert [event["resumed_from"] for event in all_events(run) if event["kind"] == "started"] == [None, step]
    with pytest.raises(WorkbenchError, match=f"finished: all {step + 30} steps"):
        start(project, resume=run, argv=trainer())


def test_a_run_is_resumed_by_one_only(project: OpenProject, trainer: MakeTrainer) -> None:
    run = stopped(project, trainer())

    def resume(_: int) -> str:
        try:
            start(project, resume=run, argv=trainer())
        except WorkbenchError as error:
            return str(error)
        return "started"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(resume, range(4)))
    assert outcomes.count("started") == 1
    assert all("going on" in outcome for outcome in outcomes if outcome != "started")
    until(lambda: read_status(run).attempt == 2, "second attempt")
    assert len([event for event in all_events(run) if event["kind"] == "started"]) == 2


def test_two_runs_started_at_once_are_two_runs(project: OpenProject, trainer: MakeTrainer) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: start(project, argv=trainer(steps=20)), range(2)))
    assert len({run.folder for run in runs}) == 2
    for run in runs:
        until(lambda run=run: read_status(run).state is State.FINISHED, "end")


def change_data(project: OpenProject) -> OpenProject:
    file = project.folder / "train.jsonl"
    file.write_bytes(file.read_bytes().replace(b"answer 3", b"answer 4"))
    return project


def change_template(project: OpenProject) -> OpenProject:
    return open_project(project.folder, None, {"prompt.system": "Be brief."})


def change_tokenizer(project: OpenProject) -> OpenProject:
    file = project.folder / "base" / "tokenizer_config.json"
    file.write_bytes(file.read_bytes() + b" ")
    return project


def change_model(project: OpenProject) -> OpenProject:
    file = project.folder / "base" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    return project


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (change_data, "data"),
        (change_template, "chat template"),
        (change_tokenizer, "tokenizer"),
        (change_model, "base model"),
    ],
)
def test_resuming_with_anything_else_is_refused_by_name(
    project: OpenProject, trainer: MakeTrainer, change: Callable[[OpenProject], OpenProject], name: str
) -> None:
    shutil.copytree(embedded.FOLDER, project.folder / "base")
    project.file.write_text(project.text.replace("[[data", '[model]\nbase = "base"\n[[data', 1))
    project = open_project(project.folder)
    run = stopped(project, trainer())
    before = run.events.read_bytes()
    with pytest.raises(WorkbenchError) as caught:
        start(change(project), resume=run, argv=trainer())
    named = [problem.what for problem in caught.value.problems[:-1]]
    assert named == [f"the {name} changed since the run was started"]
    assert run.events.read_bytes() == before and not is_held(run)


def test_a_refusal_names_the_profile_that_was_left_out(project: OpenProject, trainer: MakeTrainer) -> None:
    run = stopped(open_project(project.folder, "short"), trainer())
    with pytest.raises(WorkbenchError, match="resume with --profile short"):
        start(project, resume=run, argv=trainer())
    start(open_project(project.folder, "short"), resume=run, argv=trainer())


def test_other_training_settings_are_told_and_not_taken(project: OpenProject, trainer: MakeTrainer) -> None:
    run = stopped(project, trainer())
    start(open_project(project.folder, None, {"training.learning_rate": 1e-5}), resume=run, argv=trainer())
    warnings = [event["message"] for event in all_events(run) if event["kind"] == "warning"]
    assert warnings == ["goes on with the [training] it was started with: learning_rate = 0.0002, not 1e-05"]


def test_a_base_model_that_went_away_is_told(project: OpenProject, trainer: MakeTrainer) -> None:
    run = stopped(project, trainer())
    spec = json.loads(run.spec.read_text())
    spec["base_model"] = {"name": "./gone", "folder": "/nowhere"}
    run.spec.write_text(json.dumps(spec))
    with pytest.raises(WorkbenchError, match="no base model './gone'"):
        start(project, resume=run, argv=trainer())


def test_a_project_that_moved_with_its_base_model_goes_on(
    project: OpenProject, trainer: MakeTrainer, tmp_path: Path
) -> None:
    shutil.copytree(embedded.FOLDER, project.folder / "base")
    project.file.write_text(project.text.replace("[[data", '[model]\nbase = "base"\n[[data', 1))
    run = stopped(open_project(project.folder), trainer())
    moved = open_project(project.folder.rename(tmp_path / "moved"))
    run = Run(moved.folder / "runs" / run.id)
    weights = moved.folder / "base" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"\x00")
    with pytest.raises(WorkbenchError, match="base model changed since"):
        start(moved, resume=run, argv=trainer())
    weights.write_bytes(whole)
    start(moved, resume=run, argv=trainer(steps=50))
    until(lambda: not is_held(run), "end")
    assert read_status(run).state is State.FINISHED


def write_rows(project: OpenProject, text: str) -> OpenProject:
    (project.folder / "train.jsonl").write_text(text)
    return project


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda p: write_rows(p, '{"instruction": "a", "output": ""}\n{"instruction": 1}\n'),
            "no row can be trained on",
        ),
        (lambda p: write_rows(p, ""), "train.jsonl"),
        (lambda p: open_project(p.folder, None, {"data.source": []}), "no data"),
        (lambda p: open_project(p.folder, None, {"model.base": "./nowhere"}), "nowhere"),
        (lambda p: open_project(p.folder, None, {"prompt.template": "chatlm"}), "chatml"),
        (lambda p: open_project(p.folder, None, {"data.max_tokens": 8}), "too long"),
    ],
)
def test_what_cannot_be_trained_never_becomes_a_run(
    project: OpenProject, broken: Callable[[OpenProject], OpenProject], message: str
) -> None:
    with pytest.raises(WorkbenchError, match=message):
        start(broken(project), argv=lambda run: pytest.fail("started"))
    assert list_runs(project.folder) == []


def test_a_disk_without_space_for_a_checkpoint_is_told(
    project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    with pytest.raises(WorkbenchError, match="1 MB free, a checkpoint needs about 67 MB"):
        start(project, argv=lambda run: pytest.fail("started"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 70 * 10**6))
    with pytest.raises(WorkbenchError, match="70 MB free"):
        start(
            open_project(project.folder, None, {"training.method": "full"}),
            argv=lambda run: pytest.fail("started"),
        )


def write_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_where_logout_kills_it_runs_in_a_scope(
    run: Run, trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stand-ins for systemd's programs: whether the lock passes through and the user is warned."""
    programs = tmp_path / "bin"
    programs.mkdir()
    write_program(programs, "busctl", "echo b true")
    write_program(programs, "systemd-run", f'echo "$@" > {tmp_path}/asked; shift 5; exec "$@"')
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(spawn, "LINGER", tmp_path)
    launch(run, trainer())
    until(lambda: stepping(run), "step")
    assert (tmp_path / "asked").read_text().startswith("--user --scope --quiet --collect -- ")
    assert holder_pid(run) == environment(run)["pid"]
    assert any("enable-linger" in event.get("message", "") for event in all_events(run))
    write_program(programs, "busctl", "echo b false")
    assert spawn.scope_argv() == []
    write_program(programs, "busctl", "echo no bus >&2; exit 1")
    assert spawn.scope_argv() == []
