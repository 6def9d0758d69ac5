"""The tour: every pane with its card, at any size, left at any time."""

from pathlib import Path

import pytest
from desk import SIZES, at_desk, make_project

from workbench.ui.actions import ACTIONS
from workbench.ui.app import PANES
from workbench.ui.guide import CARDS, PURPOSES


def test_every_place_of_the_registry_says_what_it_is_for() -> None:
    for action in ACTIONS:
        assert action.place in ("app", "form") or PURPOSES[action.place].endswith("."), action.place
    assert set(PANES) == set(CARDS)


@pytest.mark.parametrize("size", SIZES)
async def test_it_goes_through_all_panes_and_back_to_where_it_began(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with at_desk(make_project(tmp_path / "p"), size) as desk:
        await desk.press("3", "T")
        for number, place in enumerate(PANES, 1):
            await desk.sees(f"{number} of {len(PANES)}", CARDS[place].see[:25], CARDS[place].press[:25])
            assert desk.app.place == place and f" {PANES[place]}]" in desk.text.splitlines()[0]
            await desk.press("space")
        assert desk.app.place == "setup" and len(desk.app.screen_stack) == 1


async def test_back_and_away(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("T", "backspace", "space", "enter", "backspace")
        assert desk.app.place == "prompt"
        await desk.press("t", "1")  # keys of the pane below do nothing now
        await desk.sees("2 of")
        await desk.press("escape")
        assert desk.app.place == "prompt" and len(desk.app.screen_stack) == 1


async def test_it_waits_for_a_project(tmp_path: Path) -> None:
    async with at_desk(tmp_path, tour=True) as desk:
        await desk.press("T")
        await desk.hears("no project is open")
        make_project(tmp_path / "p")
        await desk.press("f5")
        await desk.sees("1 of", CARDS["data"].see[:25])


async def test_the_theme_is_remembered(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    for before, after in ((True, False), (False, True)):
        async with at_desk(tmp_path / "p") as desk:
            assert desk.app.current_theme.dark is before
            await desk.press("ctrl+t")
            assert desk.app.current_theme.dark is after
