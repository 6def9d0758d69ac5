"""Moves in a conversation: again, otherwise, back, another branch; Markdown; what was left out."""

from pathlib import Path
from time import process_time

from chat_desk import columns, last_answer, pane, say
from desk import SETTINGS, Desk, at_desk, make_project

from workbench.chat.conversation import Conversation

BLOCKS = """
[prompt]
system = "be kind"
[[prompt.block]]
title = "Hours"
text = "open from nine to five"
[[prompt.block]]
title = "Address"
text = "next to the bridge"
"""


def said(desk: Desk) -> list[str]:
    return [message.content for message in pane(desk).conversation.messages(0)]


async def answered(desk: Desk, count: int, log: Path) -> None:
    """So many answers have been given, and none is being written."""
    await desk.until(lambda: len(columns(log)) == count and not pane(desk).answering)


async def test_a_turn_is_changed_and_every_move_taken_back(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("6", "escape", "u")
        await desk.hears("nothing to take back")
        await desk.press("b")
        await desk.hears("there is one branch")
        await say(desk, "one")
        await answered(desk, 1, log)
        await say(desk, "two")
        await answered(desk, 2, log)

        await desk.press("escape", *["left_square_bracket"] * 4, "e")
        await desk.sees("changing question 1")
        await desk.press("escape")
        assert not desk.shows("changing") and said(desk) == ["one", "one", "two", "two"]
        await desk.press("e", *"X", "enter")
        await answered(desk, 3, log)
        assert [m["content"] for m in columns(log)[-1]["messages"]] == ["oneX"]
        assert said(desk) == ["oneX", "oneX"]
        await desk.sees("2 branches")

        assert "> " not in pane(desk).column.turns.plain, "nothing is chosen any more"
        await desk.press("escape", "b")
        await desk.sees("* 1 exchange: oneX", "2 exchanges: two")
        await desk.press("down", "enter")
        assert said(desk) == ["one", "one", "two", "two"]
        await desk.press("u")
        assert said(desk) == ["oneX", "oneX"]
        await desk.press("u")
        assert said(desk) == ["one", "one", "two", "two"]

        await desk.press("left_square_bracket", "e")
        await desk.sees("changing answer 2")
        await desk.press(*" more", "enter")
        await desk.hears("the answer is yours now")
        assert said(desk) == ["one", "one", "two", "two more"]
        await desk.press("escape", "plus")
        await desk.hears("written by hand")
        await say(desk, "end")
        await answered(desk, 4, log)
        assert [m["content"] for m in columns(log)[-1]["messages"]] == [
            "one",
            "one",
            "two",
            "two more",
            "end",
        ]

        await desk.press("escape", "u", "u", "u", "u")
        assert said(desk) == [] and not desk.shows("two")
        (path,) = (folder / "chats").glob("*.jsonl")
        kept = Conversation.reopen(path, folder)
        assert [m.content for m in kept.messages(0)] == ["one", "one", "two", "two more", "end", "end"]
        assert len(kept.branches) == 3


async def test_markdown_on_a_key_and_nothing_to_click(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("6")
        text = "# Head\n\n* **fat** [site](http://x.y \x1b]8;;http://evil\x07) [@click=app.quit]q[/]"
        desk.app.desk.query_one("#message").insert(text)  # type: ignore[attr-defined]
        await desk.press("enter")
        await desk.sees("stop token")
        assert desk.shows("**fat**")
        await desk.press("escape", "f")
        turns = pane(desk).column.turns
        answer = turns.plain.split("base model")[1]
        assert "**fat**" not in answer and "• fat" in answer and "\x1b" not in turns.plain
        strips = [turns.render_line(y) for y in range(turns.size.height)]
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert not any(style.link or style.meta.get("@click") for style in styles)
        await desk.press("f")
        assert "**fat**" in turns.plain.split("base model")[1]


async def test_what_is_sent_and_what_was_left_out(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p", settings=SETTINGS + "last_turns = 2\n" + BLOCKS)
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("6")
        await desk.sees("system: be kind", "context ?", "last 2 sent", "2 of 2 blocks")
        assert not any(line.startswith("> ") for line in pane(desk).column.turns.plain.split("\n"))
        for text in ("one", "two", "drop 1"):
            await say(desk, text)
            await desk.until(lambda text=text: last_answer(desk) == text and not pane(desk).answering)
        turns = pane(desk).column.turns
        assert turns.scroll_offset.y == turns.max_scroll_y > 0, "the end is followed"
        await desk.press("escape", "pageup")
        await desk.sees("… 1 exchange left out, 40 tokens", "10 of 100, 1 exchange left out")
        lines = pane(desk).column.turns.plain.split("\n")
        assert lines.index("… 1 exchange left out, 40 tokens") == lines.index("two") - 3, (
            "before what was sent"
        )

        await desk.press("escape", "C")
        await desk.sees("Memory: the last 2 questions", "without the first 1, 40 tokens", "open from nine")
        await desk.press("down", "space", "enter")
        await desk.sees("1 of 2 blocks")
        await say(desk, "go")
        await desk.until(lambda: last_answer(desk) == "go")
        from chat_desk import requests

        (target,) = requests(log, "load")[-1]["targets"].values()
        assert [block["title"] for block in target["prompt"]["block"]] == ["Hours"]

        await desk.press("escape", "S")
        await desk.sees("System message", "be kind")
        await desk.press(*"short", "enter")
        await desk.hears("saved to project.toml")
        assert 'system = "short"' in (folder / "project.toml").read_text()
        await desk.press("home")
        await desk.sees("system: short")
        await say(desk, "now")
        await desk.until(lambda: columns(log)[-1]["settings"]["system"] == "short")


async def test_presets_change_the_form_and_s_saves(tmp_path: Path, log: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("6", "escape", "r")
        await desk.sees("FIKA: temperature 1.5, min_p 0.1", "greedy")
        await desk.press(*"fika", "enter")
        await desk.sees("temperature 1.5, min_p 0.1")
        assert pane(desk).would_lose()
        await desk.press("s")
        await desk.hears("sampling settings saved")
        text = (folder / "project.toml").read_text()
        assert "temperature = 1.5" in text and "min_p = 0.1" in text and "# what it is for" in text


async def test_a_very_long_answer_does_not_hold_the_screen_up(tmp_path: Path, log: Path) -> None:
    async with at_desk(make_project(tmp_path / "p"), (120, 30)) as desk:
        await desk.press("6")
        await say(desk, "many 100000")
        started = process_time()
        await desk.until(lambda: last_answer(desk).endswith("word99999"))
        await desk.sees("word99999", "stop token")
        assert process_time() - started < 8, "once, not once for each piece"
        await desk.press("escape", "home")
        await desk.until(lambda: desk.shows("word17"))
        await say(desk, "next")
        await desk.until(lambda: last_answer(desk) == "next")
