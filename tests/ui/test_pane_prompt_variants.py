"""The prompt pane: one row as several templates write it, and which of them the project takes."""

import json
from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of

from workbench.project.store import open_project
from workbench.prompts.preview import preview_variants
from workbench.ui.panes.prompt import PromptPane
from workbench.ui.panes.prompt_variants import VariantColumn, VariantsView

OWN = SETTINGS + '[prompt]\ntemplate = "chatml"   # the house style\n'
OTHERS = "".join(
    f'[[prompt.variant]]\nname = "{name}"\ntemplate = "{template}"\n'
    for name, template in (("mail", "alpaca"), ("talk", "vicuna"), ("gone", "gone.jinja"))
)

EMOTIONS = """\
format = 1
name = "{name}"
[data]
validation = 0
[[data.source]]
kind = "utterances"
path = "train.jsonl"
turn = { emotion = "{emotion}", dialog = "{text}" }
reply = { emotion = "{emotion}", dialog = "{text}" }
[data.source.labels]
emotion = ["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"]
[prompt]
template = "emotion-out-inst"
special_tokens = ["[EMOTION]", "[/EMOTION]"]
""" + "".join(
    f'[[prompt.variant]]\nname = "{name}"\ntemplate = "emotion-{name.replace("_", "-")}"\n'
    for name in ("in_inst", "out_inst", "in_inst_uni", "out_inst_uni")
)
DIALOG = {"dialog": ["I passed the exam!", "So glad!", "And you?", "I failed."], "emotion": [4, 4, 0, 5]}


def columns(desk: Desk) -> list[VariantColumn]:
    return desk.app.desk.query_one(VariantsView).columns


async def compared(desk: Desk, count: int) -> None:
    await desk.until(
        lambda: len(columns(desk)) == count and all(each.view is not None for each in columns(desk)),
        f"{count} columns",
    )


async def everywhere(desk: Desk, text: str) -> None:
    await desk.until(
        lambda: all(
            text in column.view.encoded.text
            for column in columns(desk)
            if column.view and column.view.encoded
        ),
        text,
    )


@pytest.mark.parametrize("size", SIZES)
async def test_variants_stand_side_by_side_and_move_together(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "p", settings=OWN + OTHERS)
    async with at_desk(folder, size) as desk:
        await desk.press("2", "v")
        await compared(desk, 4)
        for row in (0, 1):
            said = preview_variants(open_project(folder), row)["variants"]
            for column, variant in zip(columns(desk), said, strict=True):
                view = column.view
                assert view is not None and column.variant.name == variant["name"]
                if variant["error"]:
                    assert view.encoded is None and view.why == variant["error"]
                else:
                    assert view.encoded is not None
                    assert (view.encoded.ids, view.encoded.mask) == (variant["ids"], variant["mask"])
            await desk.sees("chatml", "(the project's)", "mail", "talk", "gone", f"row {row} of 4")
            await desk.press("right")
            await everywhere(desk, f"question {row + 1}")
        if size[0] >= 80:
            await desk.sees("gone.jinja", "stop trained")
        assert len({column.region.y for column in columns(desk)}) == (1 if size[0] == 200 else 2)
        await desk.press("v")
        await desk.until(lambda: not desk.app.desk.query_one(VariantsView).display)
        await desk.sees("template chatml", "question 2")


async def test_four_templates_of_emotions_are_masked_alike(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", json.dumps(DIALOG) + "\n", settings=EMOTIONS)
    async with at_desk(folder, (200, 50)) as desk:
        await desk.press("2", "v")
        await compared(desk, 4)
        names = [column.variant.name for column in columns(desk)]
        assert names == ["out_inst", "in_inst", "in_inst_uni", "out_inst_uni"]
        for column in columns(desk):
            assert column.view is not None and column.view.encoded is not None
            encoded = column.view.encoded
            trained = "".join(
                encoded.text[a:b] for (a, b), m in zip(encoded.spans, encoded.mask, strict=True) if m
            )
            assert "So glad!" in trained and "I failed." in trained
            assert "EMOTION" not in trained and "exam" not in trained and "And you" not in trained
        first, second, third, fourth = (
            c.view.encoded.text for c in columns(desk) if c.view and c.view.encoded
        )
        assert "[U_EMOTION] happiness [/U_EMOTION] I passed the exam! [/INST] [C_EMOTION] happiness" in first
        assert "[C_EMOTION] happiness [/C_EMOTION] [/INST] So glad!" in second
        assert "[EMOTION] happiness [/EMOTION] [/INST] So glad!" in third
        assert "I passed the exam! [/INST] [EMOTION] happiness [/EMOTION] So glad!" in fourth
        await desk.press("x")
        await desk.sees("Special tokens that are added", "[/EMOTION]", "2 added", "the embeddings")
        await desk.press("escape")
        await desk.press("v")
        await desk.until(lambda: not desk.app.desk.query_one(VariantsView).display)
        await desk.press("r")
        await desk.sees("emotion = happiness", "dialog =", "I passed the exam!")


async def test_a_template_is_put_beside_used_and_taken_away(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", settings=OWN)
    file = folder / "project.toml"
    before = file.read_text()
    async with at_desk(folder, (120, 40)) as desk:
        await desk.press("2")
        await desk.sees("template chatml")
        await desk.press("v")
        await desk.sees("Compare with the chat template")
        await desk.press("escape")
        await desk.until(lambda: not desk.app.desk.query_one(VariantsView).display)
        await desk.press("v", *"gemma", "enter")
        await compared(desk, 2)
        await desk.until(lambda: columns(desk)[0].tokens.has_focus)
        await desk.press("u")
        await desk.hears("this is how the project trains")
        await desk.press("d")
        await desk.hears("this is how the project trains")
        assert file.read_text() == before, "comparing saves nothing"
        await desk.press("a", *"vicuna", "enter")
        await compared(desk, 3)
        await desk.press("a", *"zephyr", "enter")
        await compared(desk, 4)
        await desk.press("a")
        await desk.hears("4 templates stand here already")
        await desk.press("tab", "tab")
        await desk.until(lambda: columns(desk)[2].tokens.has_focus)
        await desk.press("d")
        await compared(desk, 3)
        assert [column.variant.name for column in columns(desk)] == ["chatml", "gemma", "zephyr"]
        await desk.until(lambda: any(column.tokens.has_focus for column in columns(desk)))
        await desk.press("tab")
        await desk.until(lambda: columns(desk)[1].tokens.has_focus)
        await desk.press("u")
        await desk.hears("prompt.template is gemma now")
        assert file.read_text() == before.replace('"chatml"   #', '"gemma"   #')
        await desk.until(lambda: [c.variant.name for c in columns(desk)] == ["gemma", "chatml", "zephyr"])
        assert [column.variant.own for column in columns(desk)] == [True, False, False]


async def test_the_view_holds_for_all_columns(tmp_path: Path) -> None:
    rows = rows_of(("trailing  ", "odd \ue1ef one"), ("two", "2"))
    folder = make_project(tmp_path / "p", rows, settings=OWN + OTHERS)
    async with at_desk(folder, (200, 50)) as desk:
        await desk.press("2", "v")
        await compared(desk, 4)
        await desk.press("m", "m", "m")
        await desk.sees("every blank", "\\ue1ef")
        assert desk.text.count("\\ue1ef") == 3
        await desk.press("f")
        await desk.hears("v leaves the comparison first")
        await desk.press("y")
        await desk.until(lambda: len(desk.notices) == 2)
    assert desk.app.query(PromptPane) is not None
