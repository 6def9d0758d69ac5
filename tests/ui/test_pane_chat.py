"""The chat pane against an engine that repeats what it was asked: streaming, stopping, dying, settings."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from chat_desk import checkpoint, columns, last_answer, pane, requests, say, written
from desk import SETTINGS, SIZES, at_desk, make_project

from workbench.chat.transcript import conversation, read_transcript
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.form_rows import FormRows


@pytest.mark.parametrize("size", SIZES)
async def test_a_conversation(tmp_path: Path, log: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder, size) as desk:
        await desk.press("6")
        await desk.sees("talking to base model embedded", "temperature 0.0")
        assert not log.exists(), "looking at the pane starts nothing"
        await desk.press("escape", "x")
        await desk.hears("no answer is being written")
        await desk.press("g")
        await desk.hears("nothing has been said yet")
        await say(desk, "hello there")
        await desk.sees("stop token, 7 tokens", "9 tokens/s", "after 0.25 s", "you", "hello there")
        await say(desk, "[/INST] [@click=app.quit]x[/]")
        await desk.until(lambda: len(pane(desk).conversation.messages(0)) == 4)
        assert desk.shows("[@click=app.quit]x[/]")
        asked = columns(log)[-1]
        assert [m["role"] for m in asked["messages"]] == ["user", "assistant", "user"]
        assert asked["settings"]["temperature"] == 0.0
        assert len(requests(log, "load")) == 1
        await desk.press("escape", "g")
        await desk.until(lambda: len(requests(log, "generate")) == 3 and not pane(desk).answering)
        assert columns(log)[-1]["messages"] == asked["messages"]
        assert len(pane(desk).column.turns.turns) == 4, "the answer that was asked for again has left"
        await desk.press("n")
        await desk.until(lambda: not pane(desk).conversation.messages(0))
        assert not desk.shows("hello there")
        await desk.press(*"new", "enter")
        await desk.until(lambda: len(list((folder / "chats").glob("*"))) == 2)
        first = conversation(read_transcript(min((folder / "chats").glob("*"), key=written)))
        assert [m.content for m in first][:2] == ["hello there", "hello there"]
    pids = [request["pid"] for request in requests(log, "started")]
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_an_answer_is_stopped(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6", *"wait", "enter")
        await desk.sees("answering, esc stops it", "base model embedded wait")
        assert pane(desk).would_lose()
        await desk.press(*"more", "enter")
        await desk.hears("still being written")
        await desk.press("escape")
        await desk.sees("stopped, 7 tokens")
        assert [m.content for m in pane(desk).conversation.messages(0)] == ["wait", "wait"]
        await desk.press("escape", "g")
        await desk.sees("answering")
        await desk.press("m")
        await desk.hears("x stops it")
        await desk.press("q")
        await desk.sees("Leave workbench?", "the answer that is being written")
        await desk.press("n", "x")
        await desk.sees("stopped, 7 tokens")


async def test_an_answer_without_a_word_leaves_the_question_open(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("6", *"mute", "enter")
        await desk.sees("stopped, 7 tokens", "no answer, g asks again")
        await desk.press("escape", "g")
        await desk.until(lambda: len(requests(log, "generate")) == 2 and not pane(desk).answering)
        await desk.press("i", *"else", "enter")
        await desk.sees("stop token")
        asked = [[m["content"] for m in column["messages"]] for column in columns(log)]
        assert asked == [["mute"], ["mute"], ["else"]]
        assert len(list((folder / "chats").glob("*"))) == 1


async def test_loading_is_stopped(tmp_path: Path, log: Path) -> None:
    settings = SETTINGS + '[prompt]\nsystem = "slow"\n'
    async with at_desk(make_project(tmp_path / "p", settings=settings)) as desk:
        await desk.press("6", *"hello", "enter")
        await desk.sees("loading…")
        await desk.press("escape")
        await desk.sees("stopped before the model was loaded", "g asks again")
        await desk.press("escape", "g")
        await desk.sees("stop token, 7 tokens")
        assert not desk.shows("stopped before")


async def test_an_engine_that_dies_is_started_again(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6", *"one", "enter")
        await desk.sees("stop token")
        await desk.press(*"die", "enter")
        await desk.sees("die !", "out of memory, it said", "the next message starts it again")
        await desk.press(*"two", "enter")
        await desk.until(lambda: len(requests(log, "generate")) == 3 and not pane(desk).answering)
        said = columns(log)[-1]["messages"]
        assert [m["content"] for m in said] == ["one", "one", "two"], (
            "the question without an answer is left out"
        )
        assert len(requests(log, "started")) == 2
        await desk.press(*"wait", "enter")
        await desk.sees("answering")
        os.kill(requests(log, "started")[-1]["pid"], signal.SIGKILL)
        await desk.sees("was killed (SIGKILL)")
        await desk.press(*"refuse", "enter")
        await desk.sees("the template refuses this")
        assert len(requests(log, "load")) == 3
        await desk.press(*"end", "enter")
        await desk.until(lambda: last_answer(desk) == "end")


async def test_settings_are_used_saved_and_refused(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("6", "escape", "s")
        await desk.sees("max_new_tokens")
        pane(desk).query_one(FormRows).select("chat.temperature")
        await desk.sees("likeliest token")
        await desk.press("enter", *"9", "enter")
        await desk.sees("! ", "temperature")
        await desk.press("s")
        await desk.hears("mend this first")
        assert pane(desk).query_one(Form).display
        await desk.press("enter", *"1.5", "enter")
        assert pane(desk).would_lose()
        await desk.press("3", "6")
        assert pane(desk).query_one(Form).changes == {"chat.temperature": 1.5}
        await desk.press("s")
        await desk.hears("sampling settings saved")
        assert "temperature = 1.5" in (folder / "project.toml").read_text()
        assert not pane(desk).query_one(Form).display and desk.shows("temperature 1.5")
        await say(desk, "hello")
        await desk.sees("stop token")
        assert columns(log)[-1]["settings"]["temperature"] == 1.5
        assert desk.app.workspace.project.settings.chat.temperature == 1.5


async def test_a_checkpoint_is_chosen_and_one_that_is_gone_is_said(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    first = checkpoint(folder, 10)
    async with at_desk(folder) as desk:
        await desk.press("6", "escape", "m")
        await desk.sees("Talk to", "base model embedded", "step 10")
        await desk.press("down", "enter")
        await desk.sees("loads with the next message")
        await say(desk, "hello")
        await desk.sees("stop token")
        assert requests(log, "load")[-1]["targets"].popitem()[1]["step"] == 10
        checkpoint(folder, 20)
        await desk.press("escape", "1", "6")
        target = pane(desk).target
        assert target is not None and target.step == 10, "a new checkpoint does not change whom one talks to"
        await desk.press("escape", "m", "down", "enter")
        shutil.rmtree(first)
        await desk.press("escape", "m", *"20", "enter")
        shutil.move(first.with_name("step-20"), tmp_path / "away")
        await say(desk, "and now")
        await desk.sees("this checkpoint is gone", "no answer, g asks again")
        await desk.press("escape", "1", "6")
        await desk.hears("is no longer there")
        await desk.sees("talking to base model embedded")
        await desk.press("escape", "g")
        await desk.sees("stop token")


HOSTILE = "\x1b]52;c;AAAA\x07 \x00 \u202e [/] [red]x \x9b31m"


async def test_hostile_answers_and_long_ones(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6")
        desk.app.desk.query_one("#message").insert(HOSTILE)  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.sees("stop token", "[/] [red]x")
        for character in "\x1b\x07\x00\u202e\x9b":
            assert character not in desk.text
        long = " ".join(f"word{i}" for i in range(3000))
        desk.app.desk.query_one("#message").insert(long)  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.until(lambda: last_answer(desk).startswith("word0"))
        await desk.sees("word2999")
        await desk.press("escape", "home")
        await desk.until(lambda: not desk.shows("word2999"))
        assert desk.shows("you"), "the whole conversation can be read again"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_lost_terminal_closes_the_engine(tmp_path: Path, log: Path, number: signal.Signals) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6", *"wait", "enter")
        await desk.sees("answering")
        os.kill(os.getpid(), number)
        await desk.until(lambda: not desk.app.is_running)
    with pytest.raises(ProcessLookupError):
        os.kill(requests(log, "started")[0]["pid"], 0)


@pytest.mark.parametrize("size", SIZES)
async def test_a_checkpoint_that_knows_other_prompts_says_so(
    tmp_path: Path, log: Path, size: tuple[int, int]
) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    async with at_desk(folder, size) as desk:
        await desk.press("6", "escape", "m", *"step 10", "enter")
        await say(desk, "one")
        await desk.sees("another chat template than the project has now", "stop token")
        target = requests(log, "load")[-1]["targets"].popitem()[1]
        assert target["template_source"] == "the template", "the run's own is used"
        await desk.press("escape", "m", *"base", "enter")
        await say(desk, "two")
        await desk.until(lambda: len(requests(log, "generate")) == 2 and not pane(desk).answering)
        await desk.until(lambda: not desk.shows("another chat template"))
