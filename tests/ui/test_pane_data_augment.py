"""The augment view: rows made from rows, their settings, and writing them over nobody's own work."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from desk import SETTINGS as OF_DESK
from desk import SIZES, Desk, at_desk, make_project, rows_of

from workbench.errors import Problem, WorkbenchError
from workbench.ui.panes.data.augment_settings import Entry, read_entry
from workbench.ui.widgets.table import VirtualTable

SETTINGS = OF_DESK.replace("[[data.source]]", "[data]\nvalidation = 0\n[[data.source]]")
ASKED = """\
[augmentation]
target = 20               # twenty
paraphrases = ["Tell me: {text}", "{text} Thanks."]
[augmentation.keywords]
laptop = ["notebook"]
"""


def made_of(folder: Path, augmentation: str = ASKED) -> Path:
    rows = rows_of(*((f"my laptop {i} is broken", f"answer {i}") for i in range(8)))
    return make_project(folder, rows, SETTINGS + augmentation)


def table(desk: Desk, id: str = "made") -> VirtualTable:
    return desk.app.screen.query_one(f"#{id}", VirtualTable)


def saved(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "project.toml").read_text())


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "data/augmented.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("size", SIZES)
async def test_rows_are_made_and_written_and_shown_as_a_source(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = made_of(tmp_path / "p")
    async with at_desk(folder, size) as desk:
        await desk.press("u")
        await desk.sees("[u Augment]", "8 originals + 12 made = 20 of 20", "target 20", "1 keyword")
        await desk.sees("made from train.jsonl row 0")
        assert not (folder / "data").exists()
        await desk.press("w")
        await desk.sees("Write 12 made rows to data/augmented.jsonl?")
        await desk.press("n", "w")
        assert not (folder / "data").exists()
        await desk.press("y")
        await desk.hears("12 rows written to data/augmented.jsonl; added as a source")
        await desk.sees("[s Sources]", "in all", "20", "augmented", "really trained on: 12")
        assert len(written(folder)) == 12 and saved(folder)["data"]["source"][1]["split"] == "train"
        assert "# twenty" in (folder / "project.toml").read_text()
        await desk.press("u")
        await desk.sees("8 originals + 12 made", "is a source already")
        await desk.press("w", "y")
        await desk.hears("its source is in project.toml already")
        assert len(saved(folder)["data"]["source"]) == 2


async def test_an_edited_file_is_written_over_only_when_asked_twice(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    (folder / "data").mkdir()
    (folder / "data/augmented.jsonl").write_text("mine\n")
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("originals +", "was edited by hand")
        await desk.press("w", "y")
        await desk.sees("edited by hand. Write over it?")
        await desk.press("enter")
        assert (folder / "data/augmented.jsonl").read_text() == "mine\n"
        assert len(saved(folder)["data"]["source"]) == 1
        await desk.press("w", "y")
        await desk.sees("edited by hand. Write over it?")
        await desk.press("y")
        await desk.hears("added as a source")
        assert len(written(folder)) == 12


async def test_each_row_is_beside_its_original_and_leads_to_it(tmp_path: Path) -> None:
    async with at_desk(made_of(tmp_path / "p"), (200, 50)) as desk:
        await desk.press("u")
        await desk.sees("originals +")
        cells = [table(desk)._cells(row) for row in range(12)]
        changed = next(row for row, each in enumerate(cells) if "notebook" in str(each[1]))
        origin = str(cells[changed][0])
        for _ in range(changed):
            await desk.press("down")
        await desk.sees(
            f"made from train.jsonl row {origin}", "by keyword laptop -> notebook", "− before", "⟦"
        )
        await desk.press("enter")
        await desk.sees("[r Rows]")
        assert desk.app.workspace.row == (0, int(origin))


async def test_settings_are_typed_checked_and_saved(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("originals +")
        await desk.press("e", "enter")
        await desk.type("30")
        await desk.press("enter", "down", "space", "tab", "a")
        await desk.type("no entry")
        await desk.press("enter")
        await desk.sees("! type `word = other")
        await desk.press(*["backspace"] * 8)
        await desk.type("laptop = PC")
        await desk.press("enter")
        await desk.sees("! this one is there already")
        await desk.press(*["backspace"] * 11)
        await desk.type("broken = out of order, dead 2")
        await desk.press("enter")
        await desk.sees("changes a", "same digits")
        await desk.press("backspace", "backspace", "enter")
        await desk.sees("*keyword", "broken = out of order, dead")
        await desk.press("home", "down", "x", "s")
        await desk.hears("saved to")
        asked = saved(folder)["augmentation"]
        assert asked["target"] == 30 and asked["break_conversations"] is True
        assert asked["keywords"] == {"laptop": ["notebook"], "broken": ["out of order", "dead"]}
        assert asked["paraphrases"] == ["{text} Thanks."]
        await desk.sees("target 30, breaks on, 2 keywords, 1 paraphrase", "= 30 of 30")


async def test_an_entry_is_edited_and_all_are_removed(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("originals +")
        await desk.press("e", "tab", "enter")
        await desk.type(", PC")
        await desk.press("enter")
        await desk.sees("laptop = notebook, PC")
        await desk.press("x", "x", "x", "x", "s")
        await desk.sees("0 keywords, 0 paraphrases", "! only 0 rows can be made")
        assert saved(folder)["augmentation"] == {"target": 20}
        await desk.press("w")
        await desk.hears("no row could be made")


async def test_changes_are_forgotten_only_when_asked(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    before = (folder / "project.toml").read_text()
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("originals +")
        await desk.press("e", "s")
        await desk.sees("nothing is changed")
        await desk.press("x")
        await desk.sees("tab goes to the list")
        await desk.press("enter")
        await desk.type("9")
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 2, "esc leaves the value, not the screen"
        await desk.press("tab", "x", "a", "escape", "escape")
        await desk.sees("Forget 1 changed setting?")
        await desk.press("enter", "escape", "y")
        assert len(desk.app.screen_stack) == 1
        assert (folder / "project.toml").read_text() == before


async def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    folder = make_project(
        tmp_path / "p",
        rows_of(("About: a laptop\nAsk: what is it?", "one"), ("a notebook", "two"), ("a laptop", "three")),
        SETTINGS + ASKED,
    )
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("originals +", "! only", "fewer than the target", "more")
        await desk.press("o")
        await desk.sees("About the made rows", "left out: 2, paraphrases", "left out: 3, asks what")


async def test_a_refused_key_says_why(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", settings='format = 1\nname = "{name}"\n')
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("no [[data.source]] in project.toml yet: a adds one")
        await desk.press("w")
        await desk.hears("no rows are made yet")
        await desk.press("m")
        await desk.hears("no [[data.source]]")
        await desk.press("escape")
        await desk.hears("no rows are being made")


async def test_from_many_rows_rows_are_made_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.ui.panes.data.augment.AUTOMATIC", 7)
    async with at_desk(made_of(tmp_path / "p")) as desk:
        await desk.press("u")
        await desk.sees("m makes rows from 8 training rows")
        assert not desk.keys["write"]
        await desk.press("m")
        await desk.sees("8 originals + 12 made")
        assert desk.keys["write"]


async def test_making_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = Event(), Event()

    def slow(*_: Any, cancelled: Callable[[], bool], progress: Callable[[float], None]) -> None:
        progress(0.25)
        began.set()
        go_on.wait(10)
        assert cancelled()
        raise WorkbenchError(Problem("was cancelled"))

    async with at_desk(made_of(tmp_path / "p")) as desk:
        with monkeypatch.context() as patched:
            patched.setattr("workbench.data.augment.project.plan", slow)
            await desk.press("u")
            await desk.until(began.is_set)
            await desk.sees("making rows", "25%")
            await desk.press("w")
            await desk.hears("still being made; esc stops that")
            await desk.press("escape")
            await desk.sees("✗ stopped; m makes the rows again")
            go_on.set()
        await desk.press("m")
        await desk.sees("8 originals + 12 made")


async def test_a_source_that_takes_the_made_rows_in_is_refused(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    (folder / "data").mkdir()
    (folder / "data/augmented.jsonl").write_text((folder / "train.jsonl").read_text())
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text.replace('"train.jsonl"', '"data"'))
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("✗", "reads the made rows")
        await desk.press("w")
        await desk.hears("reads the made rows")


async def test_hostile_texts_are_drawn_as_text(tmp_path: Path) -> None:
    folder = make_project(
        tmp_path / "p",
        rows_of(("[red]\x1b]52;c;AAAA\x07 \u202elaptop [/", "x" * 100_000)),
        SETTINGS + '[augmentation]\nparaphrases = ["[/] ask {text} \\u202e"]\n',
    )
    async with at_desk(folder, (200, 50)) as desk:
        await desk.press("u")
        await desk.sees("1 original + 1 made", "[red]")
        assert not set("\x1b\x07\u202e") & set(desk.text)
        await desk.press("e")
        await desk.sees("[/] ask {text}")
        assert "\u202e" not in desk.text


async def test_windows_of_every_size(tmp_path: Path) -> None:
    async with at_desk(made_of(tmp_path / "p")) as desk:
        await desk.press("u")
        await desk.sees("originals +")
        for keys in ((), ("e",), ("tab", "a")):
            await desk.press(*keys)
            for width, height in ((20, 5), (1, 1), (300, 90), (5, 40), (80, 24)):
                await desk.pilot.resize_terminal(width, height)
                await desk.until(lambda height=height: len(desk.text.splitlines()) <= height)


async def test_another_project_begins_anew(tmp_path: Path) -> None:
    folder = made_of(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("u")
        await desk.sees("= 20 of 20")
        text = (folder / "project.toml").read_text()
        (folder / "project.toml").write_text(text.replace("target = 20", "target = 10"))
        await desk.press("f5")
        await desk.sees("8 originals + 2 made = 10 of 10")


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        (" laptop = PC , máy tính ", Entry("laptop", ("PC", "máy tính"))),
        ('a b = ["x, y", "z"]', Entry("a b", ("x, y", "z"))),
        ("2 = 3: {text}", Entry("2 = 3: {text}")),
    ],
)
def test_an_entry_is_read_as_it_is_shown(typed: str, entry: Entry) -> None:
    assert read_entry(typed) == entry == read_entry(entry.line)
