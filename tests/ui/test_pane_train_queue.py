"""The queue in the train pane: entries, the worker, sweeps and what they came to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, at_desk, make_project, rows_of
from textual.widgets import Input

from workbench.project.store import open_project
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.lock import hold
from workbench.runs.queue import worker
from workbench.runs.queue.entries import Queue, Turn, enqueue, read_queue
from workbench.runs.sweep.store import list_sweeps
from workbench.ui.panes.train import TrainPane
from workbench.ui.widgets.sweep_dialog import SweepDialog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = rows_of(*((f"question {i}", f"answer {i}") for i in range(6)))
    settings = SETTINGS.replace("[[data.source]]", "[data]\nvalidation = 1\n[[data.source]]")
    return make_project(tmp_path / "p", rows, settings)


@pytest.fixture
def queue(folder: Path) -> Queue:
    return Queue(folder)


@pytest.fixture
def working(queue: Queue) -> Iterator[int]:
    queue.folder.mkdir(parents=True, exist_ok=True)
    held = hold(queue)
    yield held
    os.close(held)


def trained(queue: Queue, number: int, loss: float) -> Run:
    """What the worker leaves behind of an entry."""
    place = next(each for each in read_queue(queue) if each.entry.number == number)
    run = create_run(open_project(queue.project_folder, None, place.entry.overrides), ["test"], {}, "")
    for log, events in (
        (
            run.events,
            [
                ("started", {"attempt": 1, "resumed_from": None, "total_steps": 3}),
                ("evaluated", {"step": 3, "epoch": 1.0, "validation_loss": loss}),
                ("ended", {"state": "finished", "step": 3, "seconds": 1.0, "reason": ""}),
            ],
        ),
        (queue.journal, [("ended", {"entry": number, "run": run.id, "state": "finished", "reason": ""})]),
    ):
        writer = EventWriter(log)
        for kind, fields in events:
            writer.write(kind, **fields)
        writer.close()
    return run


@pytest.mark.parametrize("size", SIZES)
async def test_runs_are_put_in_and_taken_out(queue: Queue, size: tuple[int, int]) -> None:
    async with at_desk(queue.project_folder, size) as desk:
        await desk.press("4", "u")
        await desk.sees("not being worked off", "a puts a run in")
        for key, reason in (("s", "nothing waits"), ("x", "nothing is in the queue"), ("t", "esc shows")):
            await desk.press(key)
            await desk.hears(reason)
        await desk.press("enter", "a", "a")
        await desk.hears("entry 2 waits")
        await desk.sees("2 wait", "○ waiting", "the settings of project.toml")
        await desk.press("x")
        await desk.hears("entry 1 is taken out")
        await desk.until(lambda: [place.entry.number for place in read_queue(queue)] == [2])
        run = trained(queue, 2, 0.5)
        desk.app.desk.query_one(TrainPane).shown_view.look()  # type: ignore[union-attr]
        await desk.sees("✓ finished")
        await desk.press("x")
        await desk.hears("does not wait any more: it is finished")
        await desk.press("enter")
        pane = desk.app.desk.query_one(TrainPane)
        await desk.until(lambda: pane.shown_view is None and pane.feed and pane.feed.run == run)


async def test_the_worker_is_begun_halted_and_seen_above(
    queue: Queue, working: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Queue] = []
    monkeypatch.setattr(worker, "begin", begun.append)
    enqueue(open_project(queue.project_folder))
    journal = EventWriter(queue.journal)
    async with at_desk(queue.project_folder) as desk:
        await desk.until(lambda: "» QUEUE 1" in desk.text.splitlines()[0])
        await desk.press("4", "u")
        await desk.sees("● being worked off", "1 waits")
        journal.write("pausing", reason="waits until the disk has room: 3 MB are free")
        desk.app.desk.query_one(TrainPane).shown_view.look()  # type: ignore[union-attr]
        await desk.sees("! waits until the disk has room: 3 MB are free")
        await desk.press("s")
        await desk.hears("begins nothing new")
        await desk.sees("■ begins nothing new")
        assert queue.stop.exists() and not begun
        monkeypatch.setattr("workbench.ui.panes.train.queue.is_working", lambda queue: False)
        desk.app.desk.query_one(TrainPane).shown_view.look()  # type: ignore[union-attr]
        await desk.sees("○ not being worked off")
        await desk.press("s")
        assert begun == [queue]
    journal.close()


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_a_sweep_is_shown_before_it_is_queued(queue: Queue, size: tuple[int, int]) -> None:
    async with at_desk(queue.project_folder, size) as desk:
        await desk.press("4", "u", "v")
        vary = desk.app.screen.query_one("#vary", Input)
        vary.value = "training.rank=4,8 training.learning_rate=1e-4..1e-3"
        await desk.sees("has a range")
        await desk.press("enter")
        assert not list_sweeps(queue)
        await desk.press("tab", "x")
        await desk.sees("not a whole number")
        await desk.press("backspace", "2")
        await desk.sees("2 runs", "embedded-lora-r")
        vary.value = "training.rank=4,8"
        await desk.press("backspace")
        dialog = desk.app.screen
        assert isinstance(dialog, SweepDialog)
        await desk.until(lambda: dialog._planned and dialog._planned[0] == ("training.rank=4,8", "", ""))
        await desk.sees("2 runs", "embedded-lora-r4", "embedded-lora-r8")
        await desk.press("enter")
        await desk.hears("2 runs to come")
        ranks = [place.entry.overrides["training.rank"] for place in read_queue(queue)]
        assert ranks == [4, 8] and {place.turn for place in read_queue(queue)} == {Turn.WAITING}
        trained(queue, 1, 0.5)
        best = trained(queue, 2, 0.25)
        desk.app.desk.query_one(TrainPane).shown_view.look()  # type: ignore[union-attr]
        await desk.sees("0.2500 █████", "rank=8", "0.5000 ██████████")
        assert desk.text.index("0.2500") < desk.text.index("0.5000")
        await desk.press("tab", "x")
        await desk.hears("tab goes to the entries")
        await desk.press("enter")
        pane = desk.app.desk.query_one(TrainPane)
        await desk.until(lambda: pane.feed and pane.feed.run == best, "the best run")


async def test_a_sweep_that_halves_begins_with_few_steps_and_shows_what_differs(queue: Queue) -> None:
    async with at_desk(queue.project_folder, (80, 24)) as desk:
        await desk.press("4", "u", "v")
        vary = desk.app.screen.query_one("#vary", Input)
        vary.value = "training.rank=4,8 training.max_steps=5"
        halve = desk.app.screen.query_one("#halve", Input)
        halve.value = "7"
        await desk.sees("varies max_steps")
        halve.value = "x"
        await desk.sees("not a whole number", "empty for training")
        vary.value = "training.rank=4,8 training.alpha=3,4"
        halve.value = "7"
        await desk.sees("4 runs", "steps7")
        vary.focus()
        await desk.press("enter")
        await desk.hears("4 runs to come")
        sweep = list_sweeps(queue)[0]
        assert sweep.halving is not None and (sweep.halving.steps, sweep.halving.factor) == (7, 3)
        assert {place.entry.overrides["training.max_steps"] for place in read_queue(queue)} == {7}
        await desk.sees("rank=4 alpha=3", "rank=8 alpha=4")


async def test_a_fault_of_the_dialog_is_said(queue: Queue) -> None:
    async with at_desk(queue.project_folder) as desk:
        await desk.press("4", "u", "v")
        desk.app.screen.query_one("#vary", Input).value = "training.rnk=4"
        await desk.sees("✗", "rank")
        await desk.press("enter", "escape")
        assert not list_sweeps(queue)
