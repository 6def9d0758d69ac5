"""The prompt pane: examples before the question, rows with warnings, messages, rows without answers."""

import json
from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of

from workbench.project.store import open_project
from workbench.prompts.preview import preview
from workbench.ui.panes.prompt import PromptPane

SHOTS = (
    SETTINGS
    + '[data]\nvalidation = 0\n[prompt]\ntemplate = "chatml"\n[prompt.few_shot]\ncount = 2\nseed = 1\n'
)


def pane(desk: Desk) -> PromptPane:
    return desk.app.desk.query_one(PromptPane)


def ordered(settings: str) -> str:
    """TOML wants `[data]` before its `[[data.source]]`."""
    head, _, rest = settings.partition("[[data.source]]")
    data = "[data]\nvalidation = 0\n"
    return head + data + "[[data.source]]" + rest.replace(data, "")


async def drawn_for(desk: Desk, row: int) -> None:
    await desk.until(lambda: pane(desk).made.row == row and pane(desk).made.deck is not None)


@pytest.mark.parametrize("size", SIZES)
async def test_examples_stand_before_the_question_with_their_rows(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    rows = rows_of(*((f"question {i}", f"answer {i}") for i in range(12)))
    folder = make_project(tmp_path / "p", rows, settings=ordered(SHOTS))
    async with at_desk(folder, size) as desk:
        await desk.press("2", "f")
        for row in (0, 1, 2):
            opened = open_project(folder)
            said = preview(opened, row, few_shot=opened.settings.prompt.few_shot)
            await drawn_for(desk, row)
            encoded = pane(desk).made.encoded
            assert encoded is not None and (encoded.ids, encoded.mask) == (said["ids"], said["mask"])
            await desk.sees(
                "2 examples from train, seed 1", *(f"row {shot['row']}" for shot in said["shots"])
            )
            assert row not in [shot["row"] for shot in said["shots"]]
            assert desk.shows(f"{said['supervised']} scored")
            await desk.press("right")
        await desk.press("r")
        assert len(pane(desk).made.messages) == 6, "the messages with their examples"
        await desk.press("r", "f")
        await desk.until(lambda: pane(desk).made.deck is None)
        await desk.sees("trained")


async def test_a_number_is_asked_for_where_the_project_names_none(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p", settings=ordered(SETTINGS))) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 4")
        await desk.press("f", "0", "enter")
        await desk.hears("from 1 to 100 examples")
        await desk.press("escape", "f", "3", "enter")
        await desk.sees("3 examples from train")
        await desk.press("f")
        await desk.until(lambda: pane(desk).made.deck is None)
        await desk.press("f", "4", "enter")
        await desk.sees("4 examples are asked for, 3 can be drawn")


async def test_rows_with_warnings_of_their_own_are_walked(tmp_path: Path) -> None:
    odd = {7: ("fine", "<|im_end|> in it"), 20: ("nothing", ""), 33: ("too long", "word " * 2000)}
    rows = rows_of(*(odd.get(i, (f"question {i}", f"answer {i}")) for i in range(40)))
    folder = make_project(tmp_path / "p", rows, settings=ordered(SHOTS))
    async with at_desk(folder) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 40")
        for row, said in ((7, "<|im_end|>"), (20, "not trained on"), (33, "too long"), (7, "<|im_end|>")):
            await desk.press("n")
            await desk.sees(f"row {row} of 40", said)
        await desk.press("N")
        await desk.sees("row 33 of 40", "too long")


async def test_without_warnings_it_says_so(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p", settings=ordered(SETTINGS))) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 4")
        await desk.press("n")
        await desk.hears("no other row of this source has a warning")
        await desk.press("s")
        await desk.hears("this project has one source")
        await desk.press("x")
        await desk.hears("prompt.special_tokens adds none")


async def test_a_row_without_an_answer_shows_its_prompt(tmp_path: Path) -> None:
    test = '[[data.source]]\nkind = "fields"\npath = "test.jsonl"\nuser = ["{instruction}"]\nsplit = "test"\n'
    blocks = '[prompt]\nsystem = "Be kind."\nquestion = "Chat"\n'
    blocks += '[[prompt.block]]\ntitle = "Ngữ cảnh"\ntext = "Áo"\n'
    head, training, rest = ordered(SETTINGS).partition("[training]")
    folder = make_project(tmp_path / "p", settings=head + test + blocks + training + rest)
    (folder / "test.jsonl").write_text(json.dumps({"instruction": "the last one"}) + "\n")
    async with at_desk(folder) as desk:
        await desk.press("2")
        await desk.sees("row 0 of 4, source 1 of 2")
        await desk.press("s")
        await desk.sees(
            "row 0 of 1, source 2 of 2", "no answer: the prompt that asks for one", "the last one"
        )
        assert "▐" not in desk.text.split("Chat:")[1].split("▐trained▌")[0]
        await desk.press("r")
        await desk.sees("system", "Be kind.", "user", "Ngữ cảnh:", "Chat:", "what the chat template gets")
        await desk.press("m")
        await desk.hears("r shows the text")
        await desk.press("r", "f", "2", "enter")
        await desk.sees("2 examples from train")
        assert pane(desk).made.view is not None and pane(desk).made.view.asked
