"""The prompt pane: what it shows is what the preview says, and so what the trainer gets."""

from pathlib import Path
from threading import Event

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of

from workbench.data.dataset import SourceState
from workbench.project.store import open_project
from workbench.prompts.preview import preview
from workbench.ui.panes.prompt import PromptPane

PROMPT = SETTINGS + '[prompt]                 # how it is said\ntemplate = "base"        # the model\'s own\n'


def pane(desk: Desk) -> PromptPane:
    return desk.app.desk.query_one(PromptPane)


async def at_row(desk: Desk, row: int) -> None:
    await desk.until(lambda: desk.shows(f"row {row} of") and desk.app.workspace.row == (0, row))


@pytest.mark.parametrize("size", SIZES)
async def test_it_shows_what_the_preview_says(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "p", settings=PROMPT)
    async with at_desk(folder, size) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 4", "stop token trained", "template base", "question 0", "answer 0")
        for row in (0, 1):
            await at_row(desk, row)
            said = preview(open_project(folder), row)
            encoded = pane(desk).made.encoded
            assert encoded is not None
            assert (encoded.ids, encoded.mask, encoded.text) == (said["ids"], said["mask"], said["text"])
            assert desk.shows(f"{len(said['ids'])} tokens, {said['supervised']} trained")
            await desk.press("right")
        trained = desk.text.split("▐")[1].split("▌")[0]
        assert trained.startswith("answer") and "■" in trained, "answer and stop mark stand between the signs"
        await desk.press("m")
        assert "│" in desk.text
        await desk.press("m")
        assert all(desk.shows(str(number)) for number in said["ids"][:3])
        await desk.press("m")
        assert "every blank" in desk.text and "·" in desk.text
        await desk.press("m")
        assert "│" not in desk.text


async def test_going_from_row_to_row(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("2")
        await at_row(desk, 0)
        assert not desk.keys["previous_row"] and desk.keys["next_row"]
        await desk.press("left")
        await desk.hears("this is the first row")
        await desk.press("l", "l", "h", "right", "right", "right")
        await at_row(desk, 3)
        await desk.hears("this is the last row")
        await desk.press("g", *"1", "enter")
        await at_row(desk, 1)
        for bad in ("4", "99999999999999999999999", "-1", "x", ""):
            await desk.press("g", *bad, "enter")
            await desk.hears("rows go from 0 to 3")
            assert desk.app.query("#goto"), "it can be mended"
            await desk.press("escape")
            assert not desk.app.query("#goto")
        await desk.press("right")
        await at_row(desk, 2)
        await desk.press("1")
        await desk.sees("> 2")


async def test_fast_keys_end_at_the_right_row(tmp_path: Path) -> None:
    rows = rows_of(*((f"question {i}", f"answer number {i} " * (60 - i)) for i in range(60)))
    async with at_desk(make_project(tmp_path / "p", rows)) as desk:
        await desk.press("2")
        await at_row(desk, 0)
        await desk.pilot.press(*["right"] * 40)
        await at_row(desk, 40)
        encoded = pane(desk).made.encoded
        assert encoded is not None and "question 40" in encoded.text


async def test_a_rejected_row_says_why(tmp_path: Path) -> None:
    rows = rows_of(("fine", "yes"), ("empty", ""), ("long", "word " * 3000))
    async with at_desk(make_project(tmp_path / "p", rows)) as desk:
        await desk.press("2", "right")
        await desk.sees("row 1 of 3", "not trained on: empty")
        assert not desk.keys["copy"]
        await desk.press("m")
        await desk.hears("nothing is rendered")
        await desk.press("right")
        await desk.sees("row 2 of 3", "not trained on: too long", "1024")
        await desk.press("left", "left")
        await desk.sees("row 0 of 3", "stop token trained")


async def test_a_template_is_chosen_and_saved_with_the_comments(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", settings=PROMPT)
    (folder / "mine.jinja").write_text("{% for m in messages %}{{ m.role }}> {{ m.content }}\n{% endfor %}")
    (folder / "broken.jinja").write_text("{% for %}")
    (folder / "runs" / "old").mkdir(parents=True)
    (folder / "runs" / "old" / "of_a_run.jinja").write_text("")
    async with at_desk(folder) as desk:
        await desk.press("2")
        await desk.sees("template base")
        await desk.press("t")
        await desk.sees("Chat template", "alpaca", "mine.jinja")
        assert not desk.shows("of_a_run.jinja")
        await desk.press(*"mine", "enter")
        await desk.sees("template mine.jinja", "user> question 0", "NOT trained")
        text = (folder / "project.toml").read_text()
        assert text == PROMPT.replace("{name}", "p").replace('"base"        #', '"mine.jinja"        #')
        await desk.press("t", *"broken", "enter")
        await desk.sees("broken.jinja:1")
        await desk.press("t", *"llama-2", "enter")
        await desk.sees("template llama-2", "[INST] question 0 [/INST]")
        await desk.press("t", "escape")
        # Somebody else writes meanwhile: nothing is overwritten
        (folder / "project.toml").write_text(text)
        await desk.press("t", *"gemma", "enter")
        await desk.hears("changed on disk since it was opened")
        assert (folder / "project.toml").read_text() == text
        await desk.press("f5")
        await desk.sees("template mine.jinja")


async def test_rows_that_are_indexed_later_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Event()

    def known(state: SourceState) -> int:
        return 4 if slow.is_set() else 1

    monkeypatch.setattr(SourceState, "known_rows", property(known))
    monkeypatch.setattr(SourceState, "complete", property(lambda state: slow.is_set()))
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 1")
        assert not desk.keys["next_row"]
        slow.set()
        await desk.sees("row 0 of 4")
        await desk.press("right")
        await at_row(desk, 1)


async def test_esc_leaves_the_examples_and_the_comparison(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p", settings=PROMPT)) as desk:
        await desk.press("2")
        await at_row(desk, 0)
        await desk.press("f", "1", "enter")
        await desk.until(lambda: pane(desk).made.deck is not None)
        await desk.press("escape")
        await desk.until(lambda: pane(desk).made.deck is None)
        await desk.press("v")
        await desk.type("gemma")
        await desk.press("enter")
        await desk.until(lambda: pane(desk).compared and len(desk.app.query("VariantColumn")) > 1)
        await desk.press("escape")
        await desk.sees("stop token trained", "template base")
        assert not pane(desk).compared
