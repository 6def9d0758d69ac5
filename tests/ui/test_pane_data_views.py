"""The views of the data pane: sources, filters, balance, cleaning, statistics, checks, adding a source."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from desk import SIZES, Desk, at_desk, make_project, rows_of
from textual.widgets import Input

from workbench.ui.widgets.table import VirtualTable

SETTINGS = """\
format = 1
name = "{name}"
[data]
validation = 2
duplicates = "drop"
[[data.source]]              # what we have
name = "ours"
kind = "fields"
path = "train.jsonl"
user = ["{instruction}"]
tags = { half = { even = "[02468]$", odd = "[13579]$" } }
where = { instruction = { max_chars = 30 } }
clean = ["spaces"]
[[data.source]]
name = "theirs"
kind = "messages"
path = "theirs.jsonl"
column = "conversations"
[[data.source]]
name = "questions"
kind = "fields"
path = "test.jsonl"
user = ["{instruction}"]
split = "test"
"""


def mixed(folder: Path) -> Path:
    """30 rows of which one is rejected, one filtered and one a duplicate; a source that loses all; a test."""
    rows = [(f"question {i}", f"答案：answer {i}" + "  end" * (i % 3 == 0)) for i in range(26)]
    rows[5:5] = [("no answer", ""), ("far too long " * 9, "yes"), rows[3], ("rare 1", "html <b>bold</b>")]
    make_project(folder, rows_of(*rows), SETTINGS)
    theirs = [{"messages": [{"role": "user", "content": f"{i}"}]} for i in range(7)]
    (folder / "theirs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in theirs))
    (folder / "test.jsonl").write_text(rows_of(("tested 1", "no"), ("tested 2", "yes")))
    return folder


def saved(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "project.toml").read_text())


def table(desk: Desk, id: str) -> VirtualTable:
    return desk.app.desk.query_one(f"#{id}", VirtualTable)


async def chooses(desk: Desk, words: str) -> None:
    """Choose in a list by typing."""
    await desk.until(lambda: desk.app.screen.query(Input))
    await desk.type(words)
    await desk.press("enter")


@pytest.mark.parametrize("size", SIZES)
async def test_views_are_named_with_their_keys_and_one_is_marked(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with at_desk(mixed(tmp_path / "p"), size) as desk:
        for key, title in ("s", "Sources"), ("c", "Cleaning"), ("b", "Balance"), ("r", "Rows"):
            await desk.press(key)
            await desk.sees(f"[{key} {title}]")
            assert desk.text.splitlines()[1].count("[") == 1
        await desk.press("right_square_bracket")
        await desk.sees("[s Sources]")
        await desk.press("left_square_bracket", "left_square_bracket")
        await desk.sees("[h Checks]")


@pytest.mark.parametrize("size", SIZES)
async def test_what_became_of_every_source(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(mixed(tmp_path / "p"), size) as desk:
        await desk.press("s")
        await desk.sees('theirs LOST ALL ROWS: 7 × no column "conversations"')
        await desk.until(lambda: len(table(desk, "reasons")._cells(0)) == 4)
        lines = desk.text.splitlines()
        totals = next(line for line in lines if "in all" in line).split("│")[0].split()
        assert totals[-3:] == ["25", "2", "2"] and totals[2] == "39"
        assert desk.shows("✗ theirs LOST")
        await desk.press("tab")
        assert table(desk, "reasons").has_focus
        reasons = [table(desk, "reasons")._cells(line) for line in range(3)]
        assert [(str(cells[0]), str(cells[2])) for cells in reasons] == [
            ("✗", "rejected"),
            ("–", "filtered"),
            ("=", "duplicate"),
        ]
        await desk.press("down", "down", "enter")
        await desk.sees("[r Rows]", "only = duplicate", "1 row")
        assert desk.app.workspace.row == (0, 7)


async def test_enter_on_a_source_shows_its_rows(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p")) as desk:
        await desk.press("s")
        await desk.sees("in all")
        await desk.press("down", "down", "enter")
        await desk.sees("source 3 of 3", "tested 1", "2 test")
        await desk.press("s", "end", "enter")
        await desk.hears("this line sums all sources up")


async def test_rows_have_their_side_and_mark(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p"), (120, 50)) as desk:
        await desk.sees("25 trained on", "2 validation", "1 rejected", "1 filtered")
        cells = [[str(cell) for cell in table(desk, "table")._cells(row)] for row in range(30)]
        assert [row[1] for row in cells][5:8] == ["✗", "–", "="]
        sides = [row[2] for row in cells]
        assert sides.count("train") == 25 and sides.count("valid") == 2 and sides.count("") == 3
        await desk.press("end", "n")
        assert desk.app.workspace.row == (0, 5)
        await desk.press("colon")
        await desk.type("7")
        await desk.press("enter")
        assert desk.app.workspace.row == (0, 7)
        await desk.sees("= duplicate: an earlier row says the")
        await desk.press("colon")
        await desk.type("99")
        await desk.press("enter")
        await desk.hears("rows go from 0 to 29")


async def test_only_rows_of_a_reason_a_side_or_a_tag(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p"), (120, 30)) as desk:
        await desk.sees("25 trained on")
        await desk.press("f")
        await chooses(desk, "filtered")
        await desk.sees("only – filtered", "1 row")
        assert desk.app.workspace.row == (0, 6)
        await desk.press("escape")
        await desk.sees("25 trained on")
        assert desk.app.workspace.row == (0, 6), "the cursor stays on the row"
        await desk.press("f")
        await chooses(desk, "validation")
        await desk.sees("only side: validation", "2 rows")
        first = desk.app.workspace.row
        await desk.press("n")
        assert desk.app.workspace.row > first
        await desk.press("n")
        assert desk.app.workspace.row == first, "round again"
        await desk.press("f")
        await chooses(desk, "half odd")
        await desk.sees("only half = odd")
        await desk.press("colon")
        await desk.type("6")
        await desk.press("enter")
        await desk.hears("not among those shown")
        await desk.press("escape")
        assert not desk.app.desk.query("#jump") and desk.shows("only half = odd")
        here = desk.app.workspace.row
        await desk.press("enter")
        await desk.until(lambda: desk.app.place == "prompt")
        await desk.press("right")
        await desk.until(lambda: desk.app.workspace.row != here)
        await desk.press("1")
        await desk.sees("25 trained on")
        assert table(desk, "table").has_focus, "a row that is not among those shown shows all"


@pytest.mark.parametrize("size", SIZES)
async def test_tags_by_side(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(mixed(tmp_path / "p"), size) as desk:
        await desk.press("b")
        await desk.sees("half", "even", "odd", "25 rows", "2 rows")
        assert ("█" in desk.text) == (size[0] > 60)
        await desk.press("enter")
        await desk.hears("go to one of its values")
        await desk.press("down", "enter")
        await desk.sees("[r Rows]", "only half = ")
        assert len(table(desk, "table")._cells(0)) == 5


async def test_a_rare_tag_is_warned_of(tmp_path: Path) -> None:
    rows = [(f"question {i}", f"answer {i}") for i in range(40)]
    settings = SETTINGS.replace("[02468]$", "on 7$").replace("[13579]$", "on .")
    async with at_desk(make_project(tmp_path / "p", rows_of(*rows), settings)) as desk:
        await desk.press("b")
        await desk.sees("! rare: half = even has 2")


async def test_rules_before_and_after_are_added_and_taken_out(tmp_path: Path) -> None:
    folder = mixed(tmp_path / "p")
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("c")
        await desk.sees("source 1 of 3", "spaces", "html", "prefix 答案：")
        await desk.until(lambda: desk.shows("− before") and desk.shows("row 0"))
        assert "answer 0⟦ ⟧ end" in desk.text or "answer 0 ⟦ ⟧end" in desk.text
        assert desk.shows("+ after")
        await desk.press("n")
        await desk.sees("row 3   n N")
        await desk.press("N")
        await desk.sees("row 0   n N")
        await desk.press("x", "down")
        await desk.until(lambda: saved(folder)["data"]["source"][0].get("clean") is None)
        await desk.until(lambda: desk.shows("0 rules;") and desk.shows("prefix 答案："))
        table(desk, "rules").move_to(
            next(i for i in range(9) if "prefix" in str(table(desk, "rules")._cells(i)[1]))
        )
        await desk.sees("⟦答案：⟧answer")
        await desk.press("x")
        await desk.hears("only offered")
        await desk.press("enter")
        prefix = {"on": "assistant", "prefix": ["答案："]}
        await desk.until(lambda: saved(folder)["data"]["source"][0].get("clean") == [prefix])
        assert "# what we have" in (folder / "project.toml").read_text()
        await desk.sees("1 rule;", "27")
        await desk.press("right")
        await desk.sees("source 2 of 3")


@pytest.mark.parametrize("size", SIZES)
async def test_findings_open_their_rows_and_are_accepted(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = mixed(tmp_path / "p")
    async with at_desk(folder, size) as desk:
        await desk.press("h")
        await desk.until(lambda: desk.app.workspace.surveyed, "the survey")
        await desk.sees("a run does not start", "✗ RED", "source-lost")
        assert desk.keys["accept"]
        await desk.press("enter")
        await desk.sees("[r Rows]", "only source-lost: 7 rows", "2:0")
        await desk.press("n")
        assert desk.app.workspace.row == (1, 1)
        await desk.press("h", "x")
        await desk.sees("Accept source-lost?")
        await desk.press("enter")
        assert "accept" not in saved(folder)["data"], "enter means no"
        await desk.press("x", "y")
        await desk.until(lambda: saved(folder)["data"].get("accept") == ["source-lost"])
        await desk.sees("accepted", "nothing keeps a run from starting")
        await desk.press("end", "x")
        await desk.hears("there is nothing to accept")
        await desk.press("home", "x")
        await desk.until(lambda: not saved(folder)["data"].get("accept"))


async def test_statistics_by_side_and_the_longest_rows(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p"), (120, 50)) as desk:
        await desk.press("t")
        await desk.until(lambda: desk.app.workspace.surveyed, "the survey")
        await desk.sees("[train 25 rows]", "exact", "prompt", "completion", "trained", "padding", "script")
        await desk.press("right")
        await desk.sees("[validation 2 rows]")
        assert table(desk, "longest").row_count == 2
        await desk.press("right")
        await desk.sees("[test 2 rows]")
        await desk.press("right", "enter")
        await desk.until(lambda: desk.app.place == "prompt")
        source, row, _ = desk.app.workspace.surveyed.statistics.sides["train"].longest[0]  # type: ignore[union-attr]
        assert desk.app.workspace.row == (source, row)


async def test_a_survey_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    settings = SETTINGS + '[prompt]\ntemplate = "gone.jinja"\n'
    folder = mixed(tmp_path / "p")
    (folder / "project.toml").write_text(settings.replace("{name}", "p"))
    async with at_desk(folder) as desk:
        await desk.press("h")
        await desk.sees("✗", "gone.jinja")
        await desk.press("x", "t")
        await desk.sees("✗", "gone.jinja")


@pytest.mark.parametrize("size", SIZES)
async def test_a_source_is_added_from_what_its_file_looks_like(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = mixed(tmp_path / "p")
    chats = [
        {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": f"h{i}"}]}
        for i in range(4)
    ]
    (folder / "more").mkdir()
    (folder / "more" / "chats.json").write_text(json.dumps(chats))
    (folder / "more" / "odd.jsonl").write_text('{"x": [1]}\n')
    async with at_desk(folder, size) as desk:
        await desk.press("a")
        await desk.sees("Add a source", "theirs.jsonl", "more/chats.json")
        await desk.press("enter")
        await desk.sees("! type a path")
        await desk.type("more/odd.jsonl")
        await desk.press("enter")
        await desk.sees("! ", "odd.jsonl", "columns: x")
        await desk.press(*["backspace"] * len("odd.jsonl"))
        await desk.type("chats.json")
        await desk.press("enter")
        await desk.sees('kind = "messages"', 'path = "more/chats.json"', "w writes")
        await desk.press("e")
        await desk.sees("esc leaves", "enter looks")
        await desk.press("enter")
        await desk.sees("w writes")
        await desk.press("w")
        await desk.until(lambda: len(saved(folder)["data"]["source"]) == 4)
        await desk.sees("source 4 of 4", "4 kept", "hi")
        await desk.press("a", "down", "escape")
        assert len(desk.app.screen_stack) == 1
        await desk.press("a")
        await desk.type("more/chats.json")
        await desk.press("enter")
        await desk.sees("w writes")
        await desk.press("w")
        await desk.sees("this source is there")


async def test_a_file_is_picked_from_the_list(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p")) as desk:
        await desk.press("a")
        await desk.sees("train.jsonl")
        await desk.press("down", "down", "enter")
        await desk.sees('path = "theirs.jsonl"', "row 0, 1 of 3")


async def test_a_project_without_sources_gets_its_first(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", settings='format = 1\nname = "{name}"\n')
    async with at_desk(folder) as desk:
        await desk.sees("no [[data.source]]", "a adds one")
        await desk.press("s", "b", "c", "n", "x", "r", "f", "a", "down", "enter")
        await desk.sees("w writes")
        await desk.press("w")
        await desk.sees("4 kept", "question 0")


async def test_views_in_windows_of_every_size(tmp_path: Path) -> None:
    async with at_desk(mixed(tmp_path / "p")) as desk:
        await desk.press("h")
        await desk.until(lambda: desk.app.workspace.surveyed, "the survey")
        for key in "rscbth":
            await desk.press(key)
            for width, height in ((20, 5), (1, 1), (300, 90), (5, 40), (80, 24)):
                await desk.pilot.resize_terminal(width, height)
                await desk.until(lambda height=height: len(desk.text.splitlines()) <= height)
        await desk.press("a")
        for width, height in ((20, 5), (1, 1), (80, 24)):
            await desk.pilot.resize_terminal(width, height)
            await desk.pilot.pause()
        await desk.sees("Add a source")


async def test_a_source_that_is_taken_out_of_the_file_meanwhile(tmp_path: Path) -> None:
    folder = mixed(tmp_path / "p")
    async with at_desk(folder) as desk:
        for key in "cbs":
            await desk.press(key)
        await desk.sees("in all")
        await desk.press("end", "up")
        text = (folder / "project.toml").read_text()
        (folder / "project.toml").write_text(text[: text.index('[[data.source]]\nname = "theirs"')])
        await desk.press("f5")
        await desk.until(lambda: "theirs" not in desk.text and desk.shows("duplicate"))
        await desk.press("c", "b", "r")
        await desk.sees("25 trained on")


async def test_a_folder_of_two_shapes_becomes_two_sources(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    more = folder / "more"
    more.mkdir()
    (more / "asked.jsonl").write_text(rows_of(("one?", "1"), ("two?", "2")))
    turns = [{"role": "user", "content": "three?"}, {"role": "assistant", "content": "3"}]
    (more / "talks.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    async with at_desk(folder) as here:
        await here.sees("question 0")
        await here.press("a")
        await here.type("more")
        await here.press("enter")
        await here.sees('path = "more/asked.jsonl"', "w writes these 2 sources")
        await here.press("w")
        await here.until(lambda: len(here.app.workspace.project.settings.data.source) == 3)


async def test_rows_of_a_tag_are_those_in_use(tmp_path: Path) -> None:
    rows = [(f"question {i}", f"answer {i}") for i in (2, 4, 4, 6, 8)]
    async with at_desk(make_project(tmp_path / "p", rows_of(*rows), SETTINGS)) as desk:
        await desk.press("b")
        await desk.sees("half", "even")
        await desk.press("down", "enter")
        await desk.sees("only half = even: 4 rows")
        shown = [table(desk, "table")._cells(line)[0] for line in range(4)]
        assert shown == ["1:0", "1:1", "1:3", "1:4"]


async def test_no_tags_because_the_file_is_gone(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    (folder / "train.jsonl").unlink()
    async with at_desk(folder) as desk:
        await desk.press("b")
        await desk.sees("train.jsonl: no such file")
        assert not desk.shows("no source has tags")


async def test_a_picked_name_is_shown_clean_and_still_found(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    (folder / "a\x1b\u202e.jsonl").write_text(rows_of(("Who?", "I.")))
    async with at_desk(folder) as desk:
        await desk.press("a")
        await desk.sees("Add a source", "a␛�.jsonl")
        await desk.press("down")
        assert desk.app.screen.query_one(Input).value == "a␛�.jsonl"
        await desk.press("enter")
        await desk.sees("[[data.source]]", "Who?")
        await desk.press("w")
        await desk.hears("added to")
        assert saved(folder)["data"]["source"][-1]["path"] == "a\x1b\u202e.jsonl"
