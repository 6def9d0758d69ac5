"""What a person sees first: good projects, broken ones, none at all; the app goes on in each case."""

import os
import shutil
from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, at_desk, make_project, rows_of

from workbench.project.examples import example_projects
from workbench.ui.widgets.table import VirtualTable


@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_of_projects_opens_the_first_and_p_goes_to_another(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    make_project(tmp_path / "alpha")
    make_project(tmp_path / "beta", rows_of(("only", "one")))
    async with at_desk(tmp_path, size) as desk:
        await desk.sees("4 kept", "question 0")
        assert desk.app.workspace.project.name == "alpha"
        await desk.press("p")
        await desk.sees("alpha", "beta")
        await desk.press("down", "enter")
        await desk.sees("1 kept", "only")
        assert desk.app.workspace.project.name == "beta"
        assert desk.app.desk.query_one("#table", VirtualTable).row_count == 1


async def test_one_project_is_opened_by_its_folder_or_its_file(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "alpha")
    make_project(tmp_path / "beta")
    for path in (folder, folder / "project.toml"):
        async with at_desk(path) as desk:
            await desk.sees("4 kept")
            await desk.press("p", "down", "enter")
            await desk.until(
                lambda desk=desk: desk.app._workspace and desk.app.workspace.project.name == "beta"
            )


async def test_of_several_projects_the_one_last_worked_on_opens_else_one_that_needs_nothing(
    tmp_path: Path,
) -> None:
    make_project(tmp_path / "alpha", settings=SETTINGS + '[model]\nbase = "org/large"\n')
    make_project(tmp_path / "beta")
    make_project(tmp_path / "gamma")
    make_project(tmp_path / "broken", settings="format = \n")
    async with at_desk(tmp_path) as desk:
        assert desk.app.workspace.project.name == "beta"
    (tmp_path / "gamma" / "runs" / "one").mkdir(parents=True)
    (tmp_path / "alpha" / "runs" / "two").mkdir(parents=True)
    os.utime(tmp_path / "alpha" / "runs" / "two", (1, 1))
    async with at_desk(tmp_path) as desk:
        assert desk.app.workspace.project.name == "gamma"


async def test_a_base_model_that_is_elsewhere_and_a_profile_that_has_another(tmp_path: Path) -> None:
    settings = SETTINGS + '[model]\nbase = "org/large"\n[profile.tiny]\nmodel.base = "embedded"\n'
    async with at_desk(make_project(tmp_path / "alpha", settings=settings)) as desk:
        await desk.hears("org/large is not on this box. P lays a profile over the project: tiny")
        await desk.press("P", "down", "enter")
        await desk.sees("alpha · tiny")
        await desk.press("2")
        await desk.sees("stop token trained")


@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_without_projects_offers_some(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(tmp_path / "to-come", size) as desk:
        await desk.sees("There is no project", "tea-house", "Questions to a tea house")
        await desk.press("end")
        await desk.sees("your own data")
        await desk.press("home")
        assert not (tmp_path / "to-come").exists()
        await desk.press("2", "escape")
        await desk.hears("no project is open")
        await desk.hears("no project to go back to")
        await desk.press(*["down"] * [row.name for row in example_projects()].index("tea-house"), "enter")
        await desk.sees("240 kept")
        assert desk.app.workspace.project.folder == tmp_path / "to-come" / "tea-house"


async def test_the_copy_of_yesterday_is_opened_again_and_esc_goes_back(tmp_path: Path) -> None:
    make_project(tmp_path / "tea-house", rows_of(("mine", "own")))
    make_project(tmp_path / "beta")
    async with at_desk(tmp_path) as desk:
        await desk.sees("4 kept")
        await desk.press("p", *"new project", "enter")
        await desk.sees("Begin a project", "tea-house")
        await desk.press("escape")
        await desk.sees("4 kept")
        await desk.press("p", *"new project", "enter")
        await desk.sees("Begin a project")
        await desk.press(*["down"] * [row.name for row in example_projects()].index("tea-house"), "enter")
        await desk.sees("1 kept", "mine")


async def test_f5_opens_what_came_meanwhile(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.sees("There is no project")
        make_project(tmp_path / "alpha")
        await desk.press("f5")
        await desk.sees("4 kept")


BROKEN = SETTINGS.replace("rank = 8 ", 'rank = "eight" ').replace("max_steps = 3", "max_stops = 3\nalpha = 0")


async def test_every_problem_is_listed_and_f5_opens_the_mended_project(tmp_path: Path) -> None:
    make_project(tmp_path / "alpha")
    broken = make_project(tmp_path / "beta", settings=BROKEN)
    async with at_desk(tmp_path) as desk:
        await desk.sees("4 kept")
        await desk.press("p", "down", "enter")
        await desk.sees(
            "cannot be opened", "training.rank", "max_stops", "did you mean max_steps", "training.alpha"
        )
        assert "beta" in desk.text.splitlines()[0]
        await desk.press("1", "6", "question_mark", "escape")
        (broken / "project.toml").write_text(SETTINGS.replace("{name}", "beta"))
        await desk.press("f5")
        await desk.sees("4 kept")
        assert desk.app.workspace.project.name == "beta"


async def test_many_problems_scroll(tmp_path: Path) -> None:
    many = SETTINGS.replace("max_steps = 3", "\n".join(f"unknown_{i} = 1" for i in range(30)))
    async with at_desk(make_project(tmp_path / "alpha", settings=many)) as desk:
        await desk.sees("unknown_0")
        assert "unknown_29" not in desk.text
        await desk.press("end")
        await desk.sees("unknown_29", "f5 reads it again")


async def test_leaving_a_broken_project_for_another(tmp_path: Path) -> None:
    make_project(tmp_path / "alpha", settings="format = \n")
    make_project(tmp_path / "beta")
    async with at_desk(tmp_path) as desk:
        await desk.sees("4 kept")
        await desk.press("p", "up", "enter")
        await desk.sees("cannot be opened", "project.toml:1")
        await desk.press("p", "down", "enter")
        await desk.sees("4 kept")


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(None, "train.jsonl"), ("", "train.jsonl"), (LFS, "git lfs pull")],
    ids=["missing", "empty", "pointer"],
)
async def test_a_data_file_that_cannot_be_read(tmp_path: Path, data: str | None, reason: str) -> None:
    folder = make_project(tmp_path / "alpha", rows=data)
    if data is None:
        (folder / "train.jsonl").unlink()
    async with at_desk(folder) as desk:
        await desk.until(lambda: "opening" not in desk.text and "counting" not in desk.text)
        assert desk.shows("! ") and desk.shows(reason), desk.text
        for key in "n", "enter", "s", "v", "y", "2", "right", "m", "g", "escape", "y", "3", "4", "1":
            await desk.press(key)
        await desk.press("2")
        await desk.sees("!", "train.jsonl")
        (folder / "train.jsonl").write_text(rows_of(("now", "there")))
        await desk.press("f5")
        await desk.sees("now", "trained")
        await desk.press("1")
        await desk.sees("1 kept")


@pytest.mark.parametrize("kind", ["pointer", "unknown", "no template"])
async def test_a_model_or_template_that_cannot_be_used(tmp_path: Path, kind: str) -> None:
    setting = {
        "pointer": '[model]\nbase = "weights"\n',
        "unknown": '[model]\nbase = "./nowhere-at-all"\n',
        "no template": '[prompt]\ntemplate = "chatmll"\n',
    }[kind]
    folder = make_project(tmp_path / "alpha", settings=SETTINGS + setting)
    if kind == "pointer":
        from workbench.embedded import FOLDER

        shutil.copytree(FOLDER, folder / "weights")
        (folder / "weights" / "model.safetensors").write_text(LFS)
    async with at_desk(folder) as desk:
        await desk.sees("4 kept")
        await desk.press("2")
        if kind != "pointer":  # the tokenizer is there: the prompt needs no weights
            expected = "nowhere-at-all" if kind == "unknown" else "did you mean chatml"
            await desk.sees("!", expected)
            await desk.press("right", "g", "escape", "m", "y")
        await desk.press("4", "t")
        await desk.sees("Start a run")
        await desk.press("y")
        await desk.hears(
            {"pointer": "git lfs pull", "unknown": "nowhere-at-all", "no template": "chatml"}[kind]
        )
        assert not list((folder / "runs").glob("*"))
        await desk.press("6")
        await desk.sees("talking to base model")


async def test_a_project_without_sources(tmp_path: Path) -> None:
    settings = 'format = 1\nname = "bare"\n'
    async with at_desk(make_project(tmp_path / "bare", settings=settings)) as desk:
        await desk.sees("no [[data.source]]")
        await desk.press("n", "s", "2")
        await desk.sees("no [[data.source]]")
        await desk.press("3", "4", "1")
