"""Commands: taken up once, in order, by the attempt they were meant for."""

import json
import os
from collections.abc import Callable

import pytest
from run_helpers import all_events, until

from workbench.errors import WorkbenchError
from workbench.runs import control
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.launch import Argv, launch
from workbench.runs.lock import hold, is_held
from workbench.runs.status import State, read_status

MakeTrainer = Callable[..., Argv]


def stepping(run: Run) -> bool:
    return read_status(run).step > 0


def names(run: Run) -> list[str]:
    return [command.name for command in control.pending(run)]


def test_commands_come_in_order_and_once(run: Run) -> None:
    held = hold(run)
    control.send(run, "checkpoint")
    control.send(run, "stop")
    control.send(run, "checkpoint")
    assert names(run) == ["checkpoint", "stop", "checkpoint"]
    assert list(control.pending(run)) == []
    assert list(run.control.iterdir()) == []
    control.send(run, "logging", steps=5)
    (path,) = run.control.iterdir()
    assert json.loads(path.read_text()) == {"v": 1, "name": "logging", "arguments": {"steps": 5}}
    assert list(control.pending(run)) == [control.Command("logging", {"steps": 5})]
    os.close(held)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"name": "stop", "arguments": 5}'])
def test_what_is_no_command_is_dropped(run: Run, content: bytes) -> None:
    (run.control / "1-stop.json").write_bytes(content)
    (run.control / "2-stop.json").write_text(json.dumps({"v": 1, "name": "stop"}))
    (run.control / ".3-stop.json.tmp").touch()
    assert names(run) == ["stop"]
    assert list(control.pending(run)) == []


def test_a_run_without_its_folder_of_commands_has_none(run: Run) -> None:
    run.control.rmdir()
    assert list(control.pending(run)) == []


def test_a_run_that_is_not_going_on_takes_no_commands(run: Run) -> None:
    for command in (lambda: control.send(run, "stop"), lambda: control.stop_now(run)):
        with pytest.raises(WorkbenchError, match="not going on: it is new"):
            command()
    assert list(run.control.iterdir()) == []


def test_checkpoint_and_stop(run: Run, trainer: MakeTrainer) -> None:
    launch(run, trainer())
    until(lambda: stepping(run), "step")
    control.send(run, "checkpoint")
    until(lambda: list_checkpoints(run), "checkpoint")
    assert read_status(run).state is State.RUNNING
    control.send(run, "stop")
    until(lambda: not is_held(run), "end")
    status = read_status(run)
    assert status.state is State.STOPPED
    assert list_checkpoints(run)[-1].step == status.step


def test_stop_now_is_taken_up_by_who_can(run: Run, trainer: MakeTrainer) -> None:
    launch(run, trainer())
    until(lambda: stepping(run), "step")
    control.stop_now(run)
    assert not is_held(run)
    assert (read_status(run).state, read_status(run).reason) == (State.STOPPED, "at once")
    assert list_checkpoints(run) == []


def test_stop_now_kills_who_does_not_listen(run: Run, trainer: MakeTrainer) -> None:
    launch(run, trainer(deaf=True))
    until(lambda: stepping(run), "step")
    control.stop_now(run, grace=0.2)
    assert not is_held(run)
    status = read_status(run)
    assert status.state is State.STOPPED and "on request" in status.reason
    last = all_events(run)[-1]
    assert (last["kind"], last["state"], last["step"]) == ("ended", "stopped", status.step)
    assert list(run.control.iterdir()) == []


def test_a_pause_is_seen_by_all_and_only_while_it_lasts(run: Run) -> None:
    held = hold(run)
    events = EventWriter(run.events)
    events.write("started", attempt=1, resumed_from=None, total_steps=9, validation_rows=0)
    events.write("step", step=1, loss=1.0)
    assert read_status(run).state is State.RUNNING
    events.write("paused", step=4)
    status = read_status(run)
    assert (status.state, status.going, status.step, status.eta_seconds) == (State.PAUSED, True, 4, None)
    with pytest.raises(WorkbenchError, match="paused already"):
        control.send(run, "pause")
    with pytest.raises(WorkbenchError, match="no validation rows"):
        control.send(run, "validate")
    control.send(run, "continue")
    os.close(held)
    assert read_status(run).state is State.KILLED
    held = hold(run)
    events.write("continued", step=1, seconds=5.0)
    assert read_status(run).state is State.RUNNING
    os.close(held)


def test_a_pause_is_no_part_of_the_pace(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    held = hold(run)
    events = EventWriter(run.events)
    clock = iter((100.0, 101.0, 101.0, 161.0, 163.0))
    monkeypatch.setattr("time.time", lambda: next(clock))
    events.write("started", attempt=1, resumed_from=None, total_steps=4)
    events.write("step", step=1, loss=1.0)
    events.write("paused", step=1)
    events.write("continued", step=1, seconds=60.0)
    events.write("step", step=2, loss=1.0)
    assert read_status(run).eta_seconds == pytest.approx(2 * 2.0)
    os.close(held)
