"""The queue: one run after another, through failures, refusals, stops, kills and reboots."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from run_helpers import FAKE_TRAINER, until

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import control
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, list_runs, read_spec
from workbench.runs.launch import Argv, start
from workbench.runs.lock import hold, holder_pid, is_held
from workbench.runs.queue import worker as module
from workbench.runs.queue.entries import Queue, Turn, enqueue, is_working, read_queue, remove
from workbench.runs.queue.worker import Worker, begin, halt
from workbench.runs.status import State, read_status

MakeTrainer = Callable[..., Argv]


@pytest.fixture
def queue(project: OpenProject) -> Queue:
    return Queue(project.folder)


def put(project: OpenProject, *ranks: int) -> None:
    for rank in ranks:
        enqueue(open_project(project.folder, "short", {"training.rank": rank}))


def turns(queue: Queue) -> list[Turn]:
    return [place.turn for place in read_queue(queue)]


def journal(queue: Queue, kind: str) -> list[dict[str, object]]:
    return [event for event in EventTail(queue.journal).read() if event["kind"] == kind]


def work(queue: Queue, argv: Argv) -> None:
    Worker(queue, argv, poll_seconds=0.005).work()


def working(queue: Queue, argv: Argv) -> Thread:
    thread = Thread(target=work, args=(queue, argv))
    thread.start()
    return thread


def test_entries_train_in_their_order_with_their_settings(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4, 8)
    assert turns(queue) == [Turn.WAITING, Turn.WAITING]
    work(queue, trainer(steps=3))
    assert turns(queue) == [Turn.FINISHED, Turn.FINISHED]
    specs = [read_spec(place.run) for place in read_queue(queue) if place.run]
    assert [spec.project.training.rank for spec in specs] == [4, 8]
    assert {spec.profile for spec in specs} == {"short"}
    assert specs[0].created < specs[1].created
    assert "lora-r4" in specs[0].id and "lora-r8" in specs[1].id


def test_it_goes_on_after_a_failure_and_after_a_refusal(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4, 8)
    enqueue(open_project(project.folder, None, {"model.base": "./no/such/model"}))
    put(project, 16)
    work(queue, trainer(steps=3, fail_rank=4))
    places = read_queue(queue)
    assert [place.turn for place in places] == [Turn.FAILED, Turn.FINISHED, Turn.REFUSED, Turn.FINISHED]
    assert places[0].reason == "out of luck"
    assert "no/such/model" in places[2].reason and places[2].run is None


def test_a_stop_lets_the_run_go_on_and_begins_nothing_new(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4, 8)
    with pytest.raises(WorkbenchError, match="not being worked off"):
        halt(queue)
    held = hold(queue)
    thread = working(queue, trainer())
    run = until(lambda: read_queue(queue)[0].run, "run")
    halt(queue)
    begin(queue)
    assert not queue.stop.exists(), "who starts it again takes the stop back"
    halt(queue)
    control.send(run, "stop")
    thread.join(20)
    os.close(held)
    assert not thread.is_alive()
    assert turns(queue) == [Turn.STOPPED, Turn.WAITING]


def test_what_waits_can_be_taken_out_and_what_ran_cannot(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4)
    work(queue, trainer(steps=3))
    put(project, 8)
    with pytest.raises(WorkbenchError, match="does not wait any more: it is finished"):
        remove(queue, 1)
    remove(queue, 2)
    assert turns(queue) == [Turn.FINISHED]
    with pytest.raises(WorkbenchError, match="no entry 2"):
        remove(queue, 2)


def test_what_a_kill_of_everything_interrupted_is_resumed_first(
    project: OpenProject, queue: Queue, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(project, 4, 8)
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(queue.project_folder), str(FAKE_TRAINER)])
    run = until(lambda: next((place.run for place in read_queue(queue) if place.run), None), "run")
    until(lambda: read_status(run).step > 0, "step")
    control.send(run, "checkpoint")
    until(lambda: list(run.checkpoints.glob("step-*")), "checkpoint")
    process.send_signal(signal.SIGKILL)
    process.wait()
    pid = holder_pid(run)
    assert pid, "the run outlives the worker"
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_held(run), "death")
    assert turns(queue) == [Turn.INTERRUPTED, Turn.WAITING]

    other = tmp_path / "boot"
    other.write_text("second")
    monkeypatch.setattr(module, "BOOT_ID", other)
    work(queue, trainer(steps=read_status(run).step + 3))
    assert turns(queue) == [Turn.FINISHED, Turn.FINISHED]
    assert read_queue(queue)[0].run == run and read_status(run).attempt == 2
    assert [event["rebooted"] for event in journal(queue, "working")] == [False, True]
    assert [event["resumed"] for event in journal(queue, "launched")] == [False, True, False]


WORKER = """
import sys
from pathlib import Path
from workbench.runs import lock
from workbench.runs.queue.entries import Queue
from workbench.runs.queue.worker import Worker
queue = Queue(Path(sys.argv[1]))
lock.adopt(queue)
argv = lambda run: [sys.executable, sys.argv[2], str(run.folder), "{}"]
Worker(queue, argv, poll_seconds=0.005).work()
"""


def test_a_run_that_outlived_its_worker_is_waited_for(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4)
    run = start(open_project(project.folder, "short", {"training.rank": 4}), argv=trainer())
    EventWriter(queue.journal).write("launched", entry=1, run=run.id, resumed=False)
    thread = working(queue, trainer(steps=1))
    until(lambda: journal(queue, "working"), "worker")
    assert turns(queue) == [Turn.RUNNING]
    control.send(run, "stop")
    thread.join(20)
    assert turns(queue) == [Turn.STOPPED] and read_status(run).state is State.STOPPED


def test_it_waits_for_disk_space_and_for_runs_that_others_started(
    project: OpenProject, queue: Queue, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, 4)
    other = start(project, argv=trainer())
    free = [10_000_000]
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    thread = working(queue, trainer(steps=3))
    until(lambda: journal(queue, "pausing"), "pause")
    assert other.id in str(journal(queue, "pausing")[0]["reason"])
    control.send(other, "stop")
    until(lambda: len(journal(queue, "pausing")) == 2, "second pause")
    assert "10 MB are free" in str(journal(queue, "pausing")[1]["reason"])
    assert turns(queue) == [Turn.WAITING]
    free[0] = 10**12
    thread.join(20)
    assert turns(queue) == [Turn.FINISHED]


def test_the_worker_is_a_process_of_its_own(project: OpenProject, queue: Queue) -> None:
    with pytest.raises(WorkbenchError, match="nothing waits"):
        begin(queue)
    enqueue(open_project(project.folder, None, {"model.base": "./no/such/model"}))
    begin(queue)
    until(lambda: turns(queue) == [Turn.REFUSED] and not is_working(queue), "end of the worker")
    assert queue.console.read_text() == ""


def test_half_written_entries_are_passed_over(project: OpenProject, queue: Queue) -> None:
    put(project, 4)
    (queue.entries / "2.json").write_text('{"number": 2, "cre')
    (queue.entries / "notes.txt").write_text("what?")
    assert turns(queue) == [Turn.WAITING]
    put(project, 8)
    assert [place.entry.number for place in read_queue(queue)] == [1, 3]


def test_a_worker_killed_right_after_a_start_does_not_train_the_entry_again(
    project: OpenProject, queue: Queue, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    put(project, 4)
    with monkeypatch.context() as patched:
        patched.setattr(Worker, "_watch", killed)
        with pytest.raises(KeyboardInterrupt):
            work(queue, trainer(steps=3))
    assert turns(queue) != [Turn.WAITING]
    work(queue, trainer(steps=3))
    assert turns(queue) == [Turn.FINISHED]
    assert len(list_runs(queue.project_folder)) == 1


def test_a_worker_killed_before_the_process_lives_goes_on_with_the_same_run(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    def killed(run: Run) -> list[str]:
        raise KeyboardInterrupt

    put(project, 4)
    with pytest.raises(KeyboardInterrupt):
        work(queue, killed)
    assert turns(queue) == [Turn.INTERRUPTED]
    work(queue, trainer(steps=3))
    assert turns(queue) == [Turn.FINISHED]
    assert len(list_runs(queue.project_folder)) == 1


def test_a_paused_run_is_running_not_interrupted(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4)
    run = start(project, argv=trainer())
    EventWriter(queue.journal).write("launched", entry=1, run=run.id, resumed=False)
    until(lambda: read_status(run).step > 0, "step")
    EventWriter(run.events).write("paused", step=1)
    assert read_status(run).state is State.PAUSED
    assert turns(queue) == [Turn.RUNNING]


def test_what_was_taken_out_or_resumed_while_the_worker_waited_is_left_alone(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    other = start(project, argv=trainer())
    put(project, 4, 8)
    thread = working(queue, trainer(steps=3))
    until(lambda: journal(queue, "pausing"), "pause")
    remove(queue, 1)
    control.send(other, "stop")
    thread.join(20)
    assert turns(queue) == [Turn.FINISHED]
    assert [event["entry"] for event in journal(queue, "launched")] == [2]


def test_a_broken_project_file_costs_no_entry(
    project: OpenProject, queue: Queue, trainer: MakeTrainer
) -> None:
    put(project, 4)
    file = project.folder / "project.toml"
    text = file.read_text()
    file.write_text(text + "[training\n")
    thread = working(queue, trainer(steps=3))
    until(lambda: journal(queue, "pausing"), "pause")
    assert "project.toml can be read" in str(journal(queue, "pausing")[0]["reason"])
    file.write_text(text)
    thread.join(20)
    assert turns(queue) == [Turn.FINISHED] and not journal(queue, "refused")


def test_a_journal_that_was_replaced_or_taken_away_is_read_anew(project: OpenProject, queue: Queue) -> None:
    put(project, 4, 8)

    def tell(*numbers: int) -> None:
        writer = EventWriter(queue.journal)
        for number in numbers:
            writer.write("refused", entry=number, reason="r" * number)
        writer.close()

    tell(1)
    assert turns(queue) == [Turn.REFUSED, Turn.WAITING]
    tell(2)
    assert [place.reason for place in read_queue(queue)] == ["r", "rr"]
    queue.journal.unlink()
    assert turns(queue) == [Turn.WAITING, Turn.WAITING]
    tell(2, 2)
    assert turns(queue) == [Turn.WAITING, Turn.REFUSED]


def test_a_number_is_not_given_twice(project: OpenProject, queue: Queue) -> None:
    put(project, 4)
    EventWriter(queue.journal).write("launched", entry=1, run="gone", resumed=False)
    (queue.entries / "1.json").unlink()
    put(project, 8)
    assert [place.entry.number for place in read_queue(queue)] == [2]
    assert turns(queue) == [Turn.WAITING]
