"""Two queues on one GPU: a run waits until it fits and says the figures; two never begin at once."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from run_helpers import until

from workbench.machine import capacity as box
from workbench.machine.gpu import Gpu
from workbench.machine.gpu_turn import GIB, GpuTurn
from workbench.project.store import OpenProject, open_project
from workbench.runs import control
from workbench.runs.events import EventTail
from workbench.runs.launch import Argv
from workbench.runs.queue.entries import Queue, Turn, enqueue, read_queue
from workbench.runs.queue.journal import read_journal
from workbench.runs.queue.worker import Worker
from workbench.runs.status import read_status

MakeTrainer = Callable[..., Argv]
EMPTY = Gpu("NVIDIA H200", 139 * GIB, 138 * GIB, bf16=True)


class Card:
    """The GPU of a box that we are not on; `free` is what its driver says next."""

    def __init__(self) -> None:
        self.gpu: Gpu | None = EMPTY

    def free(self, size: int) -> None:
        self.gpu = replace(EMPTY, free=size)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Card:
    card = Card()
    monkeypatch.setattr(box, "first_gpu", lambda: card.gpu)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return card


def working(project: OpenProject, argv: Argv) -> Thread:
    enqueue(open_project(project.folder, "short"))
    worker = Worker(Queue(project.folder), argv, poll_seconds=0.005, gpu=GpuTurn(look_seconds=0))
    thread = Thread(target=worker.work)
    thread.start()
    return thread


def turn(project: OpenProject) -> Turn:
    return read_queue(Queue(project.folder))[0].turn


def test_a_run_waits_while_others_hold_the_gpu(
    project: OpenProject, trainer: MakeTrainer, card: Card
) -> None:
    card.free(GIB // 4)
    thread = working(project, trainer(steps=3))
    queue = Queue(project.folder)
    said = until(lambda: read_journal(queue.journal).hindrance, "pause")
    assert said.startswith("waits until the GPU has room: about ") and "GiB are needed, 0." in said
    assert said.endswith(" of 139.0 GiB are free on NVIDIA H200")
    card.free(GIB // 4)
    assert turn(project) is Turn.WAITING
    card.free(138 * GIB)
    thread.join(20)
    assert turn(project) is Turn.FINISHED
    told = [event for event in EventTail(queue.journal).read() if event["kind"] == "pausing"]
    assert len(told) == 1, "the same figures are written down once"


def test_two_queues_do_not_begin_at_once(
    project: OpenProject, trainer: MakeTrainer, card: Card, tmp_path: Path
) -> None:
    other = open_project(shutil.copytree(project.folder, tmp_path / "other"))
    first, second = GpuTurn(look_seconds=0), GpuTurn(look_seconds=0)
    assert not first.hindrance(project)
    assert not first.hindrance(project), "its own turn hinders nobody"
    assert "just beginning" in second.hindrance(other)
    first.let_go()
    thread = working(other, trainer())
    run = until(lambda: read_queue(Queue(other.folder))[0].run, "run")
    until(lambda: read_status(run).step > 0, "step")
    until(lambda: not first.hindrance(project), "the turn, while the other's run goes on")
    assert turn(other) is Turn.RUNNING
    first.let_go()
    control.send(run, "stop")
    thread.join(20)


def test_nobody_waits_where_waiting_does_not_help(project: OpenProject, card: Card) -> None:
    gpu = GpuTurn(look_seconds=0)
    card.gpu = replace(EMPTY, total=GIB // 4, free=GIB // 8)
    assert not gpu.hindrance(project), "not even an empty one would do"
    gpu.let_go()
    card.free(0)
    assert not gpu.hindrance(open_project(project.folder, None, {"model.base": "./none"})), "it is refused"
    assert not gpu.hindrance(open_project(project.folder, None, {"launch.launcher": "slurm"}))
    assert gpu.hindrance(project)
    card.gpu = None
    assert not gpu.hindrance(project)


def test_the_driver_is_not_asked_at_every_poll(project: OpenProject, card: Card) -> None:
    gpu = GpuTurn(look_seconds=3600)
    card.free(0)
    said = gpu.hindrance(project)
    card.free(138 * GIB)
    assert said and gpu.hindrance(project) == said
    smaller = open_project(project.folder, None, {"training.rank": 4})
    assert not gpu.hindrance(smaller), "another run is another question"
