"""The data pane: rows, what is left out and why, hostile text, files that change, several sources."""

import json
from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of

from workbench.ui.widgets.table import VirtualTable

MIXED = (
    rows_of(("first", "one"), ("second", ""), ("third", "three")) + "{broken\n" + rows_of(("last", "five"))
)


def table(desk: Desk) -> VirtualTable:
    return desk.app.desk.query_one("#table", VirtualTable)


def detail(desk: Desk) -> str:
    return str(desk.app.desk.query_one("#row").render())  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_rows_and_rejected_rows(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(make_project(tmp_path / "p", MIXED), size) as desk:
        await desk.sees("5 rows", "3 kept", "2 rejected", "empty", "JSON")
        lines = desk.text.splitlines()
        counts = [i for i, line in enumerate(lines) if "row" in line and "user" in line][0]
        assert counts <= 4, "the view line, and the counts take two lines at most"
        assert detail(desk).startswith("user\nfirst")
        await desk.press("n")
        assert desk.app.workspace.row == (0, 1) and "rejected: " in detail(desk)
        await desk.press("n")
        assert desk.app.workspace.row == (0, 3)
        assert "JSON" in detail(desk)
        await desk.press("n")
        assert desk.app.workspace.row == (0, 1), "round again"
        await desk.press("N", "N")
        assert desk.app.workspace.row == (0, 1)
        await desk.press("end")
        assert desk.app.workspace.row == (0, 4)
        assert "last" in detail(desk)
        await desk.press("v")
        assert json.loads(detail(desk)) == {"instruction": "last", "output": "five"}
        await desk.press("enter")
        await desk.sees("row 4 of 5", "trained")
        await desk.press("left", "left", "1")
        await desk.until(lambda: table(desk).cursor == 2)
        assert not desk.keys["next_source"] and desk.keys["next_rejected"]


HOSTILE = [
    "[/INST] and [/",
    "[@click=app.quit]x[/]",
    "[red]x[/red]",
    "\x1b]52;c;AAAA\x07",
    "nul\x00nul",
    "\u202eright",
    "\x9b31m",
    "ok\r\nok",
    "ก็ำ👩‍👩‍👧 " * 50,
    "x" * 1_000_000,
]


async def test_hostile_rows_are_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = rows_of(*((text, text) for text in HOSTILE))
    async with at_desk(make_project(tmp_path / "p", rows), (200, 50)) as desk:
        await desk.sees(f"{len(HOSTILE)} kept", "[/INST] and [/", "[@click=app.quit]x[/]", "[red]x[/red]")
        for _ in HOSTILE:
            for character in "\x1b\x07\x00\u202e\x9b\r":
                assert character not in desk.text
            await desk.press("v", "v", "2")
            await desk.until(lambda: desk.shows(f"row {desk.app.workspace.row[1]} of"))
            await desk.press("1", "down")
        assert "990,000 more" in detail(desk) or "980,000 more" in detail(desk)
        assert desk.app.is_running


async def test_a_file_that_grows_or_shrinks_is_read_again(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.sees("4 kept")
        await desk.press("end")
        with (folder / "train.jsonl").open("a") as file:
            file.write(rows_of(("a new one", "yes")))
        await desk.press("f5")
        await desk.sees("5 kept", "a new one")
        assert table(desk).cursor == 3 and table(desk).row_count == 5
        (folder / "train.jsonl").write_text(rows_of(("quite", "other")))
        await desk.press("f5")
        await desk.sees("1 kept", "quite")
        assert table(desk).row_count == 1 and desk.app.workspace.row == (0, 0)
        (folder / "train.jsonl").write_text(rows_of(("same", "count")))
        await desk.press("f5")
        await desk.sees("1 kept", "same")
        assert "quite" not in desk.text


async def test_a_file_that_vanishes_or_is_cut_while_it_is_shown(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", rows_of(*((f"question {i}", "a" * 200) for i in range(2000))))
    async with at_desk(folder) as desk:
        await desk.sees("2,000 kept")
        (folder / "train.jsonl").write_text(rows_of(("cut", "off")))
        await desk.press("end", "pageup", "pageup", "home", "2", "right", "1")
        (folder / "train.jsonl").unlink()
        await desk.press("end", "home", "2", "1", "f5")
        await desk.sees("! ", "train.jsonl")
        assert table(desk).row_count == 0


async def test_sources_of_every_format(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    others = "".join(
        f'[[data.source]]\nkind = "fields"\npath = "{name}"\nuser = ["{{instruction}}"]\n'
        for name in ("b.csv", "c.parquet", "gone.jsonl")
    )
    folder = make_project(tmp_path / "p", settings=SETTINGS + others)
    (folder / "b.csv").write_text('instruction,output\n"in csv, quoted",yes\nbad,\n')
    pyarrow.parquet.write_table(
        pyarrow.table({"instruction": ["in parquet"], "output": ["yes"]}), folder / "c.parquet"
    )
    async with at_desk(folder) as desk:
        await desk.sees("source 1 of 4", "4 kept")
        await desk.press("end", "right")
        await desk.sees("source 2 of 4", "in csv, quoted", "1 kept", "1 rejected")
        assert "question 0" not in desk.text
        await desk.press("n", "2")
        await desk.sees("row 1 of 2, source 2", "not trained on")
        await desk.press("left")
        await desk.sees("row 0 of 2, source 2", "tokens")
        await desk.press("1", "right")
        await desk.sees("source 3 of 4", "in parquet", "1 kept")
        await desk.press("right")
        await desk.sees("source 4 of 4", "!", "gone.jsonl")
        assert table(desk).row_count == 0
        await desk.press("n", "right")
        await desk.sees("source 1 of 4", "question 0")


async def test_a_refused_key_says_why(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.sees("4 kept")
        await desk.press("n")
        await desk.hears("no row of this source is rejected")
        await desk.press("right")
        await desk.hears("this project has one source")
