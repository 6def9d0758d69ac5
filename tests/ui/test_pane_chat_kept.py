"""Answers are judged, looked at token by token, saved as rows, opened again and passed on."""

import json
from pathlib import Path

import pytest
from chat_desk import checkpoint, columns, last_answer, pane, requests, say
from desk import at_desk, make_project

from workbench.chat.transcript import read_transcript
from workbench.project.store import open_project
from workbench.ui.widgets.likelihood import LikelihoodView

EMOTIONS = """
format = 1
name = "p"
[[data.source]]
kind = "messages"
path = "train.jsonl"
text = "dialog"
[prompt]
template = "emotion-out-inst"
"""


def emotional_rows() -> str:
    rows = [("neutral", "neutral"), ("neutral", "neutral"), ("anger", "happiness"), ("neutral", "fear")]
    lines = []
    for number, (asked, said) in enumerate(rows):
        turns = (("user", asked), ("assistant", said))
        messages = [
            {"role": role, "content": {"emotion": emotion, "dialog": f"{role} {number}"}}
            for role, emotion in turns
        ]
        lines.append(json.dumps({"messages": messages}))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_token_by_token(tmp_path: Path, log: Path, size: tuple[int, int]) -> None:
    async with at_desk(make_project(tmp_path / "p"), size) as desk:
        await desk.press("6", "escape", "t")
        await desk.hears("there is no answer yet")
        await say(desk, "hello")
        await desk.sees("stop token")
        await desk.press("escape", "t")
        await desk.sees("Paris₉", "·wrong␛₀", "token 1 of 2", "95%", "least likely")
        assert "\x1b" not in desk.text
        await desk.press("n")
        await desk.sees("token 2 of 2", "0.40%, not among the first 1", "entropy 2.50 nats", "·right", "60%")
        assert desk.app.desk.query_one(LikelihoodView).cursor == 1
        await desk.press("n")
        await desk.sees("token 1 of 2")
        await desk.press("n")
        await desk.hears("all tokens have been visited")
        await desk.press("N", "right")
        await desk.sees("token 2 of 2")
        await desk.press("m")
        await desk.press("escape")
        await desk.sees("stop token")


async def test_judged_saved_and_opened_again(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("6", "escape", "o")
        await desk.hears("no conversation has been kept")
        await desk.press("w")
        await desk.hears("there is no answer yet")
        await say(desk, "one")
        await desk.sees("stop token")
        await say(desk, "two [/b] \x1b")
        await desk.until(lambda: len(columns(log)) == 2 and not pane(desk).answering)
        await desk.press("escape", "minus")
        await desk.sees("rated bad")
        await desk.press("plus", "plus", "plus", "l")
        await desk.sees("What is wrong with it")
        await desk.press(*"wrong number", "enter")
        await desk.sees("rated good", "issue: wrong number")
        (path,) = (folder / "chats").glob("*.jsonl")
        entries = read_transcript(path)
        assert [(entry.rating, entry.issues) for entry in entries] == [("", []), ("good", ["wrong number"])]

        await desk.press("left_square_bracket", "left_square_bracket", "left_square_bracket", "w")
        await desk.sees("Add data/from_chat.jsonl as a source?")
        await desk.press("y")
        await desk.hears("is a source now")
        await desk.press("w")
        await desk.hears("is in data/from_chat.jsonl already")
        (row,) = map(json.loads, (folder / "data/from_chat.jsonl").read_text().splitlines())
        assert [m["content"] for m in row["messages"]] == ["one", "one"]
        assert row["made_from"]["chat"] == path.name and row["made_from"]["answer"] == 0
        source = open_project(folder).settings.data.source[-1]
        assert (source.path, source.split) == ("data/from_chat.jsonl", "train")

        await desk.press("E")
        await desk.hears("written to")
        exported = path.with_suffix(".md").read_text()
        assert "rated good" in exported and "issue: wrong number" in exported and "two [/b]" in exported

        await desk.press("n", "escape", "o")
        await desk.sees("2 answers", "one")
        await desk.press("enter")
        await desk.until(lambda: len(pane(desk).conversation.messages(0)) == 4)
        await desk.sees("rated good", "issue: wrong number")
        await desk.press("t")
        await desk.hears("known of new answers only")
        await say(desk, "three")
        await desk.until(lambda: last_answer(desk) == "three")
        assert len(columns(log)[-1]["messages"]) == 5
        assert len(read_transcript(path)) == 3, "the same file goes on"


async def test_answers_are_cleaned_and_what_was_written_is_kept(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("6")
        await say(desk, "ASSISTANT: bye USER: more")
        await desk.sees("taken out: role", "stop token")
        assert last_answer(desk) == "bye"
        await say(desk, "goodbye")
        await desk.sees("leave was taken: n begins a new conversation")
        assert [m["content"] for m in columns(log)[-1]["messages"]][1] == "bye"
        await say(desk, "USER: all of it")
        await desk.sees("no answer, g asks again")
        (path,) = (folder / "chats").glob("*.jsonl")
        first, _ = read_transcript(path)
        assert (first.messages[-1].content, first.raw) == ("bye", "ASSISTANT: bye USER: more")


async def test_an_answer_that_goes_round_says_how_much_of_it(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6")
        desk.app.desk.query_one("#message").insert("round and round it goes " * 12)  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.sees("repeats", "91%")


async def test_a_broken_transcript_is_named_and_nothing_is_lost(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    (folder / "chats").mkdir()
    (folder / "chats/bad.jsonl").write_text("{}\n")
    async with at_desk(folder) as desk:
        await desk.press("6")
        await say(desk, "one")
        await desk.sees("stop token")
        await desk.press("escape", "o")
        await desk.sees("bad.jsonl")
        await desk.press(*"bad", "enter")
        await desk.hears("not a line of a transcript")
        assert last_answer(desk) == "one"


async def test_the_emotion_is_chosen_and_one_of_many_candidates(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p", rows=emotional_rows(), settings=EMOTIONS)
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("6", "escape")
        await desk.sees("answer neutral", "you neutral")
        await desk.press("V")
        await desk.hears("nothing has been said yet")
        await desk.press("v")
        await desk.sees("* answer emotion: neutral", "you emotion: anger")
        await desk.press(*"answer happiness", "enter")
        await desk.sees("answer happiness")
        await say(desk, "hello")
        await desk.sees("base model embedded (emotion: happiness)", "hello happiness", "stop token")
        (asked,) = columns(log)
        assert asked["messages"] == [
            {"role": "user", "content": "hello", "given": [["emotion", "neutral"]], "text_key": "dialog"},
            {"role": "assistant", "content": "", "given": [["emotion", "happiness"]], "text_key": "dialog"},
        ]

        await desk.press("escape", "V")
        await desk.sees("1 neutral", "hello neutral", "2 happiness", "3 fear", "hello fear")
        await desk.until(lambda: not pane(desk).answering)
        await desk.press("4")
        await desk.hears("there are 3 candidates")
        await desk.press("3")
        await desk.sees("(emotion: fear)", "2 branches")
        assert last_answer(desk) == "hello fear"
        await desk.press("w", "y")
        await desk.hears("is a source now")
        (row,) = map(json.loads, (folder / "data/from_chat.jsonl").read_text().splitlines())
        assert row["messages"][1]["content"] == {"emotion": "fear", "dialog": "hello fear"}
        assert open_project(folder).settings.data.source[-1].text == "dialog"  # type: ignore[union-attr]

        await say(desk, "wait")
        await desk.sees("answering")
        await desk.press("escape")
        await desk.until(lambda: not pane(desk).answering)
        await desk.press("escape", "V", "2")
        await desk.hears("still being written")
        await desk.press("escape")
        await desk.until(lambda: not pane(desk).answering)
        await desk.press("escape")
        await desk.sees("(emotion: happiness)")


async def test_plain_data_has_no_values_and_says_so(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    checkpoint(folder, 10)
    async with at_desk(folder) as desk:
        await desk.press("6", "escape", "v")
        await desk.hears("gives nothing with an answer")
        await say(desk, "hello")
        await desk.sees("stop token")
        assert requests(log, "generate")[0]["columns"][0]["messages"][-1]["role"] == "user"
