"""A profile laid over the open project: by command line and by key, as long as it is open."""

from pathlib import Path

import pytest
from desk import SETTINGS, Desk, at_desk, make_project

from workbench.ui.app import WorkbenchApp

PROFILES = SETTINGS + "[profile.small]\ntraining.rank = 2\n[profile.large]\ntraining.rank = 32\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "p", settings=PROFILES)


def rank(desk: Desk) -> int:
    return desk.app.workspace.project.settings.training.rank


async def test_a_profile_is_chosen_and_stays_over_a_reload(project: Path) -> None:
    async with at_desk(project) as desk:
        assert rank(desk) == 8
        await desk.press("P")
        await desk.sees("none", "small", "large")
        await desk.type("lar")
        await desk.press("enter")
        await desk.sees("p · large")
        assert rank(desk) == 32 and desk.app.place == "data"
        await desk.press("f5")
        await desk.hears("read again")
        assert rank(desk) == 32
        await desk.press("P")
        await desk.sees("none")
        await desk.press("up", "up", "enter")
        await desk.until(lambda: rank(desk) == 8)
        assert not desk.shows("p ·")


async def test_the_command_line_lays_it_over_the_first_project(project: Path) -> None:
    app = WorkbenchApp(project, "small")
    async with app.run_test() as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: app.place == "data")
        assert rank(desk) == 2
        await desk.sees("p · small")


async def test_an_unknown_profile_is_a_problem_with_a_hint(project: Path) -> None:
    app = WorkbenchApp(project, "smal")
    async with app.run_test() as pilot:
        desk = Desk(app, pilot)
        await desk.sees("no profile", "small")


async def test_a_project_without_profiles_says_how_to_make_one(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "q")) as desk:
        await desk.press("P")
        await desk.hears("[profile.NAME]")
