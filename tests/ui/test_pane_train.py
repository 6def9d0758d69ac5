"""The train pane: the runs of a project with their true states, the curves of one of them, its keys."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from desk import SIZES, Desk, at_desk, make_project
from written_runs import Runs

from workbench.errors import WorkbenchError, fault
from workbench.prompts.survey import survey_process
from workbench.runs import control, launch
from workbench.runs.folder import Run, list_runs
from workbench.runs.lock import is_held
from workbench.runs.status import State, read_status
from workbench.ui.panes.train import TrainPane
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.table import VirtualTable

FAKE_TRAINER = Path(__file__).parents[1] / "runs" / "fake_trainer.py"


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(tmp_path / "p")
    yield made
    made.let_go_of_all()


def pane(desk: Desk) -> TrainPane:
    return desk.app.desk.query_one(TrainPane)


def table(desk: Desk) -> VirtualTable:
    return desk.app.desk.query_one("#runs", VirtualTable)


def followed(desk: Desk) -> str:
    feed = pane(desk).feed
    assert feed is not None
    return feed.run.id


async def look_again(desk: Desk) -> None:
    """What the pane does every two seconds."""
    pane(desk)._list()
    await desk.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_runs_and_their_states(runs: Runs, size: tuple[int, int]) -> None:
    runs.add("20260101-000001-a", steps=50, end={"state": "finished", "reason": ""})
    runs.add(
        "20260101-000002-b", steps=5, end={"state": "failed", "reason": "out of memory: try a smaller batch"}
    )
    runs.add("20260101-000003-c", steps=7)
    runs.add("20260101-000004-d", steps=9, end={"state": "stopped", "reason": "asked for"})
    running = runs.add("20260101-000005-e", steps=12, held=True)
    async with at_desk(runs.folder, size) as desk:
        await desk.until(lambda: desk.app.place == "train", "the running run, as soon as the app opens")
        await desk.sees("● running", "step 12/50", "loss 0.0833")
        assert "12/50" in desk.text.splitlines()[0]
        states = [status.state for _, status in pane(desk).listed]
        assert states == [State.RUNNING, State.STOPPED, State.KILLED, State.FAILED, State.FINISHED]
        x, y = pane(desk).feed.series.curve("loss")  # type: ignore[union-attr]
        assert len(x) == 12 and y[-1] == pytest.approx(1 / 12)
        if size[1] > 20:
            await desk.until(lambda: any("⠀" < c <= "⣿" for c in desk.text), "a curve")
        assert desk.keys["stop"] and not desk.keys["resume"]
        for sight in ("■ stopped", "☠ killed", "✗ failed", "✓ finished"):
            await desk.press("down")
            await desk.sees(sight)
        await desk.press("up")
        await desk.sees("out of memory: try a smaller batch", "step 5/50")
        assert desk.keys["resume"] and not desk.keys["stop"]
        await desk.press("down", "r")
        await desk.hears("this run is finished")
        await desk.press("s")
        await desk.hears("this run is not going on: it is finished")
        runs.let_go(running)
        await desk.press("home")
        await desk.sees("☠ killed", "without a word")


async def test_a_run_is_followed_as_it_goes_on(runs: Runs) -> None:
    run = runs.add("20260101-000001-a", held=True)
    async with at_desk(runs.folder, (110, 50)) as desk:
        await desk.sees("● running", "0/50")
        runs.write(run, ("preparing", {"phase": "reading the data", "done": 1, "total": 9}))
        await desk.sees("reading the data…")
        runs.step(run, range(1, 4), token_accuracy=0.5, tokens_per_second=1234.5)
        await desk.sees("step 3/50", "tokens right 50%", "1,234 tok/s")
        runs.write(run, ("evaluated", {"step": 3, "epoch": 0.3, "validation_loss": 0.25}))
        await desk.sees("validation loss 0.2500", "best")
        runs.step(run, range(4, 5), loss=float("nan"), grad_norm=float("inf"))
        await desk.sees("loss nan")
        runs.write(run, ("warning", {"message": "the loss is [not] a number \x1b]52;c;AAAA\x07"}))
        await desk.sees("! the loss is [not] a number")
        assert "\x1b" not in desk.text
        with run.console.open("a") as file:
            file.write("a line of the log\n[/INST] \x1b[31mred\x1b[0m\n")
        await desk.sees("a line of the log", "[/INST] red")
        for title in ("accuracy", "learning rate", "gradient norm", "speed", "loss"):
            await desk.press("m")
            await desk.until(
                lambda title=title: desk.app.desk.query_one("#chart", Chart)._title.startswith(title)
            )
        await desk.press("y")
        await desk.sees("(log)")
        runs.write(run, ("started", {"attempt": 2, "resumed_from": 2, "total_steps": 50}))
        runs.step(run, range(3, 5))
        await desk.sees("resumed")
        x, _ = pane(desk).feed.series.curve("loss")  # type: ignore[union-attr]
        assert x.tolist() == [1, 2, 3, 4]
        with run.events.open("a") as file:
            file.write("garbage\n{}\n[]\n")
        runs.step(run, range(5, 6))
        await desk.sees("step 5/50")


async def test_a_long_log_is_read_at_once(runs: Runs) -> None:
    run = runs.add("20260101-000001-a", held=True)
    with run.events.open("a") as file:
        for n in range(1, 30_001):
            file.write(f'{{"v":1,"time":{n},"kind":"step","step":{n},"epoch":1.0,"loss":{1 / n}}}\n')
    async with at_desk(runs.folder) as desk:
        await desk.sees("step 30000/50")
        assert len(pane(desk).feed.series.curve("loss")[0]) == 30_000  # type: ignore[union-attr]


async def test_the_cursor_stays_on_the_chosen_run(runs: Runs) -> None:
    for number in (1, 2, 3):
        runs.add(f"20260101-00000{number}-x", steps=number)
    async with at_desk(runs.folder) as desk:
        await desk.press("4")
        await desk.sees("step 3/50")
        runs.add("20260101-000004-x", steps=4)
        await look_again(desk)
        await desk.sees("step 4/50")
        assert followed(desk).startswith("20260101-000004"), "the newest, as none was chosen"
        await desk.press("down", "down")
        await desk.sees("step 2/50")
        runs.add("20260101-000005-x", steps=5)
        await look_again(desk)
        assert followed(desk) == "20260101-000002-x" and table(desk).cursor == 3
        await desk.press("1", "3", "4")
        assert followed(desk) == "20260101-000002-x" and table(desk).cursor == 3
        await desk.press("home")
        runs.add("20260101-000006-x", steps=6)
        await look_again(desk)
        await desk.sees("step 6/50")
        # A run that is removed leaves nothing behind
        for run in list_runs(runs.folder):
            run.spec.unlink()
        await look_again(desk)
        await desk.sees("No run yet")
        assert pane(desk).feed is None


async def test_commands_reach_the_run(runs: Runs) -> None:
    run = runs.add("20260101-000001-a", steps=3, held=True)
    async with at_desk(runs.folder) as desk:
        await desk.sees("● running")
        await desk.press("c")
        await desk.hears("writes a checkpoint")
        await desk.press("s")
        await desk.hears("stops after this step")
        assert [command.name for command in control.pending(run)] == ["checkpoint", "stop"]
        runs.write(run, ("command", {"name": "checkpoint", "acknowledged": True, "reason": ""}))
        await desk.sees("! checkpoint: done")
        await desk.press("S")
        await desk.sees("End this run at once?", "is lost")
        await desk.press("enter")
        assert is_held(run) and not list(control.pending(run)), "enter is no yes here"
        await desk.press("o")
        await desk.sees("Nothing is written here yet")
        await desk.press("o", "t")
        await desk.sees("going on already")
        await desk.press("escape")


async def test_a_run_is_asked_for_more(runs: Runs) -> None:
    run = runs.add("20260101-000001-a", steps=3, held=True)
    async with at_desk(runs.folder) as desk:
        await desk.sees("● running")
        await desk.press("e", "a", "l")
        await desk.sees("Steps between two points")
        await desk.press("0", "enter", "backspace", "1", "5", "enter", "z")
        await desk.hears("pauses after this step")
        asked = [(command.name, command.arguments) for command in control.pending(run)]
        assert asked == [("validate", {}), ("sample", {}), ("logging", {"steps": 15}), ("pause", {})]
        runs.write(run, ("command", {"name": "logging", "acknowledged": False, "reason": ""}))
        await desk.sees("! logging: refused")
        await desk.press("w")
        await desk.sees("No samples yet")
        said = {"prompt": "[/INST] why?\x1b[2J", "answer": "be\ncause\u202e", "tokens": 4, "stopped": True}
        runs.write(run, ("sample", {"step": 3, "row": 7, **said}))
        await desk.sees("be⏎cause", "[/INST] why?", "answer, 4 tokens, ended by itself")
        runs.write(run, ("sample", {"step": 3, "row": 9, **said, "answer": "more", "stopped": False}))
        await desk.sees("more", "cut by chat.max_new_tokens")
        await desk.press("down")
        await desk.sees("ended by itself")
        assert "\x1b" not in desk.text
        await desk.press("o", "o")
        await desk.until(lambda: "training" in desk.text, "the chart")


@pytest.mark.parametrize("size", SIZES)
async def test_two_viewers_see_the_same_pause_and_either_ends_it(runs: Runs, size: tuple[int, int]) -> None:
    run = runs.add("20260101-000001-a", steps=3, held=True)
    runs.write(
        run, ("started", {"attempt": 1, "resumed_from": None, "total_steps": 50, "validation_rows": 0})
    )
    runs.step(run, range(1, 4))
    async with at_desk(runs.folder, size) as one, at_desk(runs.folder, size) as other:
        await one.sees("● running")
        await one.press("e")
        await one.hears("this run has no validation rows")
        await one.press("z")
        assert [command.name for command in control.pending(run)] == ["pause"]
        runs.write(run, ("paused", {"step": 3}))
        for desk in (one, other):
            desk.app.look_at_runs()
            await desk.sees("‖ paused")
            await desk.until(
                lambda desk=desk: "‖" in desk.text.splitlines()[0] and "RUNNING" not in desk.text, "its mark"
            )
        with pytest.raises(WorkbenchError, match="paused already"):
            control.send(run, "pause")
        await other.press("z")
        await other.hears("goes on")
        assert [command.name for command in control.pending(run)] == ["continue"]
        runs.write(run, ("continued", {"step": 3, "seconds": 1.0}))
        for desk in (one, other):
            await desk.sees("● running")


async def test_no_run_yet(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("4")
        await desk.sees("No run yet", "t trains")
        for key in "s", "S", "c", "z", "e", "a", "l", "w", "r", "m", "y", "o":
            await desk.press(key)
        await desk.hears("there is no run yet")
        assert [name for name, works in desk.keys.items() if works] == ["start", "queue"]


async def test_a_run_is_started_stopped_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trainer(run: Run) -> list[str]:
        return [sys.executable, str(FAKE_TRAINER), str(run.folder), json.dumps({"pause": 0.01})]

    slow, real = Event(), partial(launch.start, argv=trainer)

    def start(*args: Any, **options: Any) -> Run:
        slow.wait()
        return real(*args, **options)

    monkeypatch.setattr(launch, "start", start)
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("3", "down", "down", "down", "enter", *"4", "enter", "4", "t")
        await desk.sees("Start a run in the background?", "lora of embedded, 3 steps", "1 unsaved change")
        await desk.press("n")
        assert not list_runs(folder)
        await desk.press("t", "y", "t")
        await desk.hears("a run is being started")
        slow.set()
        await desk.until(lambda: list_runs(folder), "a run")
        run = list_runs(folder)[0]
        try:
            await desk.sees("● running", "loss")
            await desk.press("1")
            await desk.until(lambda: "RUNNING" in desk.text.splitlines()[0])
            await desk.press("4", "s")
            await desk.sees("■ stopped")
            await desk.until(lambda: desk.keys["resume"], "the key")
            step = read_status(run).step
            await desk.press("r")
            await desk.sees("● running")
            await desk.until(lambda: read_status(run).step > step + 5)
            await desk.until(lambda: pane(desk).feed.series.seams == [step], "the seam")  # type: ignore[union-attr]
            await desk.press("S", "y")
            await desk.until(lambda: not is_held(run))
            assert len(list_runs(folder)) == 1
        finally:
            if is_held(run):
                control.stop_now(run, grace=0)


async def test_a_red_finding_keeps_a_run_from_starting(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    (folder / "train.jsonl").write_text('{"instruction": "a", "output": ""}\n')
    async with at_desk(folder) as desk:
        await desk.press("4", "t", "y")
        await desk.hears("no row can be trained on")
        assert any("data.accept" in notice for notice in desk.notices)
        await desk.until(lambda: desk.keys["start"])
        assert not list_runs(folder)


async def test_the_look_at_all_rows_shows_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that takes its time, and ends with the screen."""
    ended = Event()

    def look(project: Any, progress: Any, cancelled: Any) -> None:
        progress(0.25)
        while not cancelled():
            ended.wait(0.01)
        ended.set()
        raise fault("the check was cancelled")

    monkeypatch.setattr(survey_process, "run_survey", look)
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("4", "t", "y")
        await desk.sees("Looking at all rows before the start: 25%")
        await desk.press("t")
        await desk.hears("a run is being started")
        for worker in desk.app.workers:
            if worker.group == "launch":
                worker.cancel()
        await desk.until(ended.is_set)
        await desk.hears("cancelled")
        await desk.sees("No run yet")
