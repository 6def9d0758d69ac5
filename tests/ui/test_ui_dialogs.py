"""The questions: which key gives which answer."""

import pytest
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static
from widget_app import WidgetApp, screen_lines

from workbench.ui.widgets.ask_text import AskText
from workbench.ui.widgets.confirm import Confirm
from workbench.ui.widgets.note import EditDialog, NoteDialog
from workbench.ui.widgets.pick import Pick


async def answer_of(
    dialog: ModalScreen, *keys: str, size: tuple[int, int] = (80, 24)
) -> tuple[list[object], list[str]]:
    """What the dialog answered after these keys, and what it showed before the last of them."""
    app = WidgetApp(Static("behind"))
    answers: list[object] = []
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys[:-1])
        await pilot.pause()
        lines = screen_lines(app)
        await pilot.press(keys[-1])
        await pilot.pause()
        return answers, lines


@pytest.mark.parametrize(
    ("key", "loses", "answer"),
    [
        ("y", False, True),
        ("n", False, False),
        ("escape", False, False),
        ("enter", False, True),
        ("enter", True, False),
        ("y", True, True),
    ],
)
async def test_confirm(key: str, loses: bool, answer: bool) -> None:
    answers, lines = await answer_of(Confirm("End [/it]?", "Steps are\nlost.", loses=loses), key)
    assert answers == [answer]
    text = "\n".join(lines)
    assert "End [/it]?" in text and "Steps are" in text and "lost." in text


async def test_other_keys_answer_nothing() -> None:
    answers, _ = await answer_of(Confirm("Sure?"), "x", "q", "space")
    assert answers == []


ITEMS = ["base: embedded", "run a, step 100", "run a, step 200", "Run B [/red] \x1b[31m"]


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (200, 50)])
@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], 0),
        (["down", "down", "enter"], 2),
        (["down", "up", "enter"], 0),
        (["2", "0", "0", "enter"], 2),
        (["b", "space", "r", "u", "n", "enter"], 3),
        (["escape"], None),
        (["r", "u", "n", "escape"], None),
    ],
)
async def test_pick(keys: list[str], answer: int | None, size: tuple[int, int]) -> None:
    answers, lines = await answer_of(Pick("Talk to", ITEMS), *keys, size=size)
    assert answers == [answer]
    assert all(line.isprintable() for line in lines)


async def test_nothing_that_matches_is_nothing_to_choose() -> None:
    answers, _ = await answer_of(Pick("Talk to", ITEMS), "z", "z", "enter")
    assert answers == []


async def test_pick_begins_at_the_chosen_one() -> None:
    answers, lines = await answer_of(
        Pick("Talk to", [f"item {index}" for index in range(100)], chosen=70), "enter"
    )
    assert answers == [70]
    assert any("> item 70" in line for line in lines)


@pytest.mark.parametrize(
    ("dialog", "key"),
    [
        (NoteDialog("run", ""), "escape"),
        (EditDialog("answer", "text"), "enter"),
        (AskText("what", "why"), "enter"),
    ],
)
async def test_keys_typed_ahead_answer_once(dialog: ModalScreen, key: str) -> None:
    app = WidgetApp(Static("behind"))
    answers: list[object] = []
    async with app.run_test() as pilot:
        app.push_screen(Pick("below", ITEMS))
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        for _ in range(2):  # both are there before the first one is answered
            assert app.screen.focused is not None
            app.screen.focused.post_message(Key(key, None))
        await pilot.pause()
        await pilot.pause()
        assert len(answers) == 1
        assert len(app.screen_stack) == 2, "the one below stays"


async def test_what_is_typed_as_it_stands_comes_first() -> None:
    items = ["20261130-101500-run step 20", "20261130-101500-run step 10"]
    answers, _ = await answer_of(Pick("which", items), *"step", "space", *"10", "enter")
    assert answers == [1]
