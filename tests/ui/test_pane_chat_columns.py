"""Several models answer one message: columns come and go, fail for themselves, have their own settings."""

import os
from pathlib import Path

import pytest
from chat_desk import checkpoint, columns, pane, requests, say
from desk import SETTINGS, Desk, at_desk, make_project

from workbench.chat.transcript import conversation, read_transcript
from workbench.runs.folder import list_runs
from workbench.runs.lock import hold
from workbench.ui.widgets.pick import Pick


async def add(desk: Desk, name: str) -> None:
    """One more column, chosen by its name."""
    count = len(pane(desk).columns)
    await desk.press("a")
    await desk.until(lambda: isinstance(desk.app.screen, Pick))
    await desk.press(*name, "enter")
    await desk.until(lambda: len(pane(desk).columns) == count + 1)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_three_columns_answer_at_once(tmp_path: Path, log: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    checkpoint(folder, 20)
    async with at_desk(folder, size) as desk:
        await desk.press("6", "escape", "d")
        await desk.hears("only column")
        await desk.press("tab")
        await desk.hears("one column: a adds another")
        await add(desk, "step 10")
        await add(desk, "step 20")
        await say(desk, "hello")
        await desk.until(lambda: not pane(desk).answering and pane(desk).conversation.at)
        (request,) = requests(log, "generate")
        assert [column["messages"][-1]["content"] for column in request["columns"]] == ["hello"] * 3
        assert request["details"]
        steps = [requests(log, "load")[-1]["targets"][c["target"]].get("step") for c in request["columns"]]
        assert steps == [None, 10, 20]
        await desk.sees("3 columns answer each message", "step 10", "step 20")
        hidden = [column for column in pane(desk).columns if not column.display]
        assert len(hidden) == (1 if size[0] == 80 else 0)
        if hidden:
            await desk.sees("2 and 3 in view")
        assert all(column.size.width >= 38 for column in pane(desk).columns if column.display)

        await desk.press("escape", "tab")
        assert pane(desk).current == 0 and pane(desk).columns[0].display
        await desk.press("d")
        await desk.until(lambda: len(pane(desk).columns) == 2)
        await say(desk, "again")
        await desk.until(lambda: len(requests(log, "generate")) == 2 and not pane(desk).answering)
        (path,) = (folder / "chats").glob("*.jsonl")
        entries = read_transcript(path)
        assert [entry.column for entry in entries] == [0, 1, 2, 1, 2]
        assert [message.content for message in conversation(entries, 2)] == ["hello", "hello"] + ["again"] * 2

        await desk.press("escape", "n", "escape", "o")
        await desk.sees("5 answers")
        await desk.press("enter")
        await desk.until(lambda: [column.target.step for column in pane(desk).columns] == [None, 10, 20])
        assert len(pane(desk).conversation.messages(2)) == 4


async def test_a_column_that_fails_leaves_the_others_alone(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("6", "escape")
        await add(desk, "step 10")
        await say(desk, "half")
        await desk.sees("! no answer from here", "stop token, 7 tokens", "g asks again")
        await say(desk, "next")
        await desk.until(lambda: len(requests(log, "generate")) == 2 and not pane(desk).answering)
        said = [[message["content"] for message in column["messages"]] for column in columns(log)[-2:]]
        assert said == [["half", "half", "next"]] * 2, "it goes on from what the first column said"


async def test_a_checkpoint_that_is_gone_leaves_the_others_alone(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    gone = checkpoint(folder, 20)
    async with at_desk(folder, (200, 50)) as desk:
        await desk.press("6", "escape")
        await add(desk, "step 20")
        await add(desk, "step 10")
        os.rename(gone, tmp_path / "away")
        await say(desk, "hello")
        await desk.sees("this checkpoint is gone", "stop token, 7 tokens")
        assert [column["target"].partition("/")[2] for column in columns(log)] == ["", "10"]


async def test_one_model_twice_with_other_settings(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p"), (120, 30)) as desk:
        await desk.press("6", "escape")
        await add(desk, "base")
        await desk.hears("c gives a column other settings")
        await desk.press("c")
        await desk.sees("NAME=VALUE")
        await desk.press(*"temprature=1", "enter")
        await desk.hears("did you mean temperature?")
        await desk.press("c", *"temperature=9", "enter")
        await desk.hears("must be at most 5")
        await desk.press("c", *"FIKA seed=7", "enter")
        await desk.sees("temperature 1.5, min_p 0.1, seed 7")
        await say(desk, "hello")
        await desk.until(lambda: len(columns(log)) == 2)
        first, second = (column["settings"] for column in columns(log))
        assert (first["temperature"], first["min_p"], first["seed"]) == (0.0, 0.0, 0)
        assert (second["temperature"], second["min_p"], second["seed"]) == (1.5, 0.1, 7)
        assert len(requests(log, "load")[-1]["targets"]) == 1, "one model is held once"


async def test_without_room_the_processor_is_offered(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    settings = SETTINGS + '[prompt]\nsystem = "big"\n'
    async with at_desk(make_project(tmp_path / "p", settings=settings)) as desk:
        await desk.press("6", *"hello", "enter")
        await desk.sees("Talk on the processor instead?", "14.2 GiB are needed")
        await desk.press("n")
        await desk.sees("14.2 GiB are needed", "no answer, g asks again")
        await desk.press("escape", "g")
        await desk.sees("Talk on the processor instead?")
        await desk.press("y")
        await desk.sees("stop token, 7 tokens")
        assert len(requests(log, "started")) == 2


async def test_the_newest_checkpoint_of_a_run_that_goes_on(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    (run,) = list_runs(folder)
    async with at_desk(folder) as desk:
        lock = hold(run)
        await desk.press("6", "escape", "m")
        await desk.sees("newest, step 10 now")
        await desk.press(*"newest", "enter")
        await say(desk, "hello")
        await desk.sees("stop token")
        newer = checkpoint(folder, 20)
        await desk.hears("has a newer checkpoint: step 20")
        await say(desk, "and now")
        await desk.until(lambda: len(requests(log, "load")) == 2)
        (target,) = requests(log, "load")[-1]["targets"].values()
        assert target["weights"] == str(newer)
        await desk.until(lambda: not pane(desk).answering)
        os.close(lock)
        await desk.press("escape", "1", "6")
        assert pane(desk).target.kind == "checkpoint", "the run has ended, its checkpoint stays"


async def test_columns_keep_their_room(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    async with at_desk(folder) as desk:
        await desk.press("6", "escape")
        await add(desk, "step 10")
        await say(desk, "hello")
        await desk.until(lambda: not pane(desk).answering and pane(desk).conversation.at)
        await desk.press("escape", "t")
        await desk.until(lambda: pane(desk).shown_view is not None)
        await desk.press("escape")
        await desk.until(lambda: pane(desk).shown_view is None)
        await desk.until(lambda: [column.display for column in pane(desk).columns] == [True, True])
        await desk.press("s")  # the form takes more than half of the screen
        await desk.until(lambda: [column.display for column in pane(desk).columns] == [False, True])
        await desk.sees("2 columns answer each message, 2 in view")
        await desk.press("s")
        await desk.until(lambda: all(column.display for column in pane(desk).columns))
