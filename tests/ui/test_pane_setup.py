"""The setup pane: values typed, refused, taken back and saved; nothing is lost without being asked."""

from pathlib import Path

import pytest
from desk import SETTINGS, SIZES, Desk, at_desk, make_project, rows_of

from workbench.project.store import open_project
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.form_rows import FormRows

MINE = SETTINGS.replace("{name}", "p")


def form(desk: Desk) -> Form:
    return desk.app.desk.query_one("#form", Form)


async def set_value(desk: Desk, key: str, value: str) -> None:
    """Go to a field and type into it."""
    await go_to(desk, key)
    await desk.press("enter", *value, "enter")


async def go_to(desk: Desk, key: str) -> None:
    form(desk).query_one(FormRows).select(key)
    await desk.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_a_value_is_changed_saved_and_the_comments_stay(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder, size) as desk:
        await desk.press("3")
        await desk.sees("effective batch 8", "3 training rows, 1 held out", "1 step an epoch, 3 in all")
        assert not desk.keys["save"]
        await desk.press("s")
        await desk.hears("nothing is changed")
        await set_value(desk, "training.rank", "4")
        await desk.sees("* 1 unsaved", ">* rank")
        await desk.press("u")
        assert not form(desk).changes
        await desk.press("d")
        assert form(desk).changes == {"training.rank": None} and form(desk).values["training.rank"] == 16
        await desk.sees("taken out of project.toml, was 8")
        await desk.press("u")
        await set_value(desk, "training.rank", "4")
        await set_value(desk, "training.per_device_train_batch_size", "2")
        await desk.sees("effective batch 2", "* 2 unsaved")
        await desk.press("s")
        await desk.hears("saved to")
        assert not form(desk).changes and not desk.shows("unsaved")
        saved = (folder / "project.toml").read_text()
        assert "rank = 4                  # small" in saved and "# what it is for" in saved
        assert open_project(folder).settings.training.per_device_train_batch_size == 2
        lines = desk.text.splitlines()
        assert not lines[3].strip().endswith("epochs"), "the summary takes two lines at most"


async def test_an_error_is_marked_explained_and_not_saved(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("3")
        for key, value in (
            ("training.per_device_train_batch_size", "0"),
            ("training.num_train_epochs", "1e300"),
            ("data.validation", "-1"),
        ):
            await set_value(desk, key, value)
            await desk.sees(">! ", f"! project.toml: {key}" if desk.shows("project.toml: ") else key)
            await desk.press("s")
            await desk.until(lambda key=key: any("mend this first" in n and key in n for n in desk.notices))
            assert (folder / "project.toml").read_text() == MINE
            await desk.press("u")
            assert not form(desk).problems
        await go_to(desk, "training.rank")
        await desk.press("enter", *"3x", "enter")
        await desk.sees("not a whole number")
        await desk.press("escape")
        assert not form(desk).changes
        await desk.press("enter", *"inf", "enter", "escape")
        # Two fields that do not go together
        await go_to(desk, "model.quantization")
        await desk.press("right")
        await go_to(desk, "training.method")
        await desk.press("right")
        await desk.sees("quantization", "lora", "2 unsaved")
        await desk.press("s")
        await desk.hears("mend this first")
        await desk.press("R")
        assert not form(desk).changes and not form(desk).problems


async def test_unsaved_changes_live_through_other_panes_and_reloading(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("3")
        await set_value(desk, "training.rank", "4")
        await desk.press("1", "2", "4", "3", "f5")
        await desk.hears("read again")
        assert form(desk).changes == {"training.rank": 4}
        (folder / "project.toml").write_text("format = \n")
        await desk.press("f5")
        await desk.hears("project.toml:1")
        assert form(desk).changes == {"training.rank": 4}, "a broken file takes no changes away"
        assert desk.app.place == "setup"


async def test_two_workbenches_on_one_project(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    async with at_desk(folder) as desk:
        await desk.press("3")
        await set_value(desk, "training.rank", "4")
        theirs = MINE.replace("max_steps = 3", "max_steps = 9  # theirs")
        (folder / "project.toml").write_text(theirs)
        await desk.press("s")
        await desk.hears("changed on disk since it was opened")
        assert (folder / "project.toml").read_text() == theirs
        assert form(desk).changes == {"training.rank": 4}
        await desk.press("f5", "s")
        await desk.hears("saved to")
        assert (folder / "project.toml").read_text() == theirs.replace("rank = 8 ", "rank = 4 ")
        assert form(desk).values["training.max_steps"] == 9, "what they wrote is shown"
        await set_value(desk, "training.rank", "5")
        (folder / "project.toml").write_text(MINE)
        await desk.press("f5", "R")
        assert form(desk).values["training.rank"] == 8 and form(desk).values["training.max_steps"] == 3


async def test_leaving_asks_while_something_is_unsaved(tmp_path: Path) -> None:
    make_project(tmp_path / "o")
    make_project(tmp_path / "p")
    async with at_desk(tmp_path / "p") as desk:
        await desk.press("3")
        await set_value(desk, "training.rank", "4")
        for key in ("q", "ctrl+q"):
            await desk.press(key)
            await desk.sees("Leave workbench?", "1 unsaved change in the form")
            await desk.press("ctrl+q", "enter")
            assert desk.app.is_running and not desk.shows("Leave workbench?"), "enter keeps"
        await desk.press("p", "up", "enter")
        await desk.sees("Open o?", "1 unsaved change")
        await desk.press("n")
        assert form(desk).changes == {"training.rank": 4}
        await desk.press("p", "up", "enter", "y")
        await desk.until(lambda: desk.app._workspace and desk.app.workspace.project.name == "o")
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)


async def test_a_choice_of_the_prompt_pane_reaches_the_form(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.press("3", "2")
        await desk.sees("template base")
        await desk.press("t", *"chatml", "enter")
        await desk.sees("template chatml")
        await desk.press("3")
        assert form(desk).values["prompt.template"] == "chatml"


async def test_the_figures_are_of_the_rows_that_really_train(tmp_path: Path) -> None:
    """Of seven rows one is empty, one is too long, and one is held out."""
    told = [(f"question {i}", f"answer {i}") for i in range(5)]
    rows = rows_of(*told, ("nothing", ""), ("much", "word " * 600))
    async with at_desk(make_project(tmp_path / "p", rows), (120, 30)) as desk:
        await desk.press("3")
        await desk.sees("4 training rows, 1 held out", "1 step an epoch, 3 in all")
        await set_value(desk, "training.per_device_train_batch_size", "2")
        await desk.sees("2 steps an epoch, 3 in all = 1.5 epochs")


async def test_red_findings_are_named(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p")
    held = '[[data.source]]\nkind = "fields"\npath = "train.jsonl"\nsplit = "validation"\n'
    held += 'user = ["{instruction}"]\n'
    (folder / "project.toml").write_text(MINE.replace("[training]", held + "[training]"))
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("3")
        await desk.sees("4 training rows, 4 held out", "red: leak")


async def test_rows_that_cannot_be_counted_are_said_to_be_so(tmp_path: Path) -> None:
    base = '[model]\nbase = "nobody/nothing"\n'
    async with at_desk(make_project(tmp_path / "p", settings=SETTINGS + base), (120, 30)) as desk:
        await desk.press("3")
        await desk.sees("effective batch 8", "rows not counted", "nobody/nothing")


@pytest.mark.parametrize("size", SIZES)
async def test_valid_settings_that_do_not_do_what_one_may_think(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    usual = SETTINGS.replace("[training]", "[training]\nalpha = 16")
    async with at_desk(make_project(tmp_path / "p", settings=usual), size) as desk:
        await desk.press("3")
        await desk.sees("3 training rows, 1 held out")
        assert not desk.shows("remark")
        await set_value(desk, "training.lr_restarts", "3")
        await desk.sees("~ 1 remark: lr_restarts", "~ no effect: lr_scheduler_type")
        await set_value(desk, "training.save_steps", "9")
        await desk.sees("~ 2 remarks: lr_restarts", "~ the run has 3 steps: saved at its end alone")
        await desk.press("s")
        await desk.hears("saved to")
        await desk.sees(">~ save_steps")
        await go_to(desk, "training.lr_scheduler_type")
        await desk.press("right")
        await desk.sees("~ 1 remark: save_steps")
        lines = desk.text.splitlines()
        assert not lines[3].strip().endswith("remark: save_steps"), "two lines at most"


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_preset_stands_under_what_the_project_sets(tmp_path: Path, size: tuple[int, int]) -> None:
    own = SETTINGS.replace("rank", 'preset = "fika-task-1"\nrank', 1)
    folder = make_project(tmp_path / "p", settings=own)
    async with at_desk(folder, size) as desk:
        await desk.press("3")
        await desk.sees("2 differ from preset fika-task-1")
        assert form(desk).values["training.alpha"] == 16
        await go_to(desk, "training.rank")
        await desk.sees(">\u00b7 rank", "\u00b7 preset fika-task-1 has 16", "source: notebook: r = 16")
        await go_to(desk, "training.preset")
        await desk.sees("the baseline of the Unsloth notebook")
        await desk.press("right")
        await desk.sees("2 differ from preset fika-task-2", "* 1 unsaved", "the changed parameters")
        assert form(desk).values["training.alpha"] == 32, "follows at once"
        assert form(desk).values["training.rank"] == 8, "is the project's own"
        assert form(desk).changes == {"training.preset": "fika-task-2"}
        await go_to(desk, "training.rank")
        await desk.press("d")
        assert form(desk).values["training.rank"] == 32, "back to the preset's"
        await desk.sees("1 differ from preset fika-task-2", "taken out of project.toml")
        await desk.press("u", "u")
        assert form(desk).values["training.alpha"] == 16 and not form(desk).changes, "what follows, too"
        await go_to(desk, "training.preset")
        await desk.press("right")
        await go_to(desk, "training.rank")
        await desk.press("d", "s")
        await desk.hears("saved to")
        saved = (folder / "project.toml").read_text()
        assert 'preset = "fika-task-2"' in saved and "rank =" not in saved and "# small" in saved
        settings = open_project(folder).settings.training
        assert (settings.rank, settings.learning_rate, settings.max_steps) == (32, 5e-4, 3)


async def test_a_preset_that_does_not_suit_is_refused_in_the_form(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", settings=SETTINGS.replace("rank", 'method = "full"\nrank', 1))
    async with at_desk(folder, (120, 30)) as desk:
        await desk.press("3")
        await go_to(desk, "training.preset")
        await desk.press("left")
        await desk.sees(">! preset", "model.quantization of preset classical-chinese")
        await desk.press("s")
        await desk.hears("mend this first")
