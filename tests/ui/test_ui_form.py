"""The form: values are typed, turned, undone and marked; a value that cannot be read is refused in place."""

from typing import Any

import pytest
from textual.events import AppBlur, AppFocus
from textual.widgets import Input
from widget_app import WidgetApp, screen_lines

from workbench.errors import Problem
from workbench.project.fields import form_fields
from workbench.ui.widgets.form import Form


def check(changes: dict[str, Any]) -> list[Problem]:
    """One rule of one field, as the project's own check would say it."""
    if changes.get("training.rank") == 7:
        return [Problem("must not be 7", "project.toml:3: training.rank", "8 works")]
    return []


def form_of(*sections: str) -> tuple[Form, WidgetApp]:
    form = Form([field for section in sections for field in form_fields(section)], check=check)
    form.load({field.key: field.default for field in form.fields})
    return form, WidgetApp(form)


def row_of(app: WidgetApp, name: str) -> str:
    return next(line for line in screen_lines(app) if line[3:].startswith(name))


async def go_to(pilot: Any, form: Form, key: str) -> None:
    form.focus()
    await pilot.press("home")
    for _ in range([field.key for field in form.fields].index(key)):
        await pilot.press("down")


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (200, 50), (44, 20)])
async def test_a_number_is_typed_marked_undone(size: tuple[int, int]) -> None:
    form, app = form_of("model", "training", "data")
    async with app.run_test(size=size) as pilot:
        await go_to(pilot, form, "training.rank")
        assert row_of(app, "rank").split()[:3] == [">", "rank", "16"]
        await pilot.press("enter", "3", "2", "enter")
        assert form.values["training.rank"] == 32
        assert form.changes == {"training.rank": 32}
        assert row_of(app, "rank").split()[:3] == [">*", "rank", "32"]
        assert "was 16" in "\n".join(screen_lines(app))
        assert [(message.key, message.value) for message in app.heard_of(Form.Changed)] == [
            ("training.rank", 32)
        ]
        await pilot.press("u")
        assert form.changes == {}
        assert row_of(app, "rank").split()[:3] == [">", "rank", "16"]
        assert not form.query(Input)


async def test_default_and_mark_of_what_differs_from_it() -> None:
    form, app = form_of("training")
    async with app.run_test(size=(80, 24)) as pilot:
        form.load({**form.values, "training.rank": 64})
        await go_to(pilot, form, "training.rank")
        assert row_of(app, "rank").split()[:3] == [">·", "rank", "64"]
        await pilot.press("d")
        assert form.changes == {"training.rank": None} and form.values["training.rank"] == 16
        form.mark_saved()
        await pilot.pause()
        assert form.changes == {}
        assert row_of(app, "rank").split()[:3] == [">", "rank", "16"]
        await pilot.press("u")
        assert form.values["training.rank"] == 16, "what is saved is not undone"


async def test_what_cannot_be_read_is_refused_where_it_stands() -> None:
    form, app = form_of("training")
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        await pilot.press("enter", "3", "x", "enter")
        assert form.query(Input), "the Input stays, so that the mistake can be mended"
        assert form.values["training.rank"] == 16
        help_of_field = "\n".join(screen_lines(app)[-4:])
        assert "!" in help_of_field and "3x" in help_of_field
        await pilot.press("backspace", "enter")
        assert form.values["training.rank"] == 3
        assert not form.query(Input)


async def test_escape_leaves_the_value() -> None:
    form, app = form_of("training")
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        await pilot.press("enter", "9", "escape")
        await pilot.pause()
        assert form.values["training.rank"] == 16
        assert not form.query(Input)
        await pilot.press("down")
        assert row_of(app, "alpha").startswith(">"), "keys go to the rows again"


async def test_another_window_does_not_end_typing_but_another_widget_does() -> None:
    form, _ = form_of("training")
    other = Input()
    app = WidgetApp(form, other)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        await pilot.press("enter", "9")
        app.post_message(AppBlur())
        await pilot.pause()
        app.post_message(AppFocus())
        await pilot.pause()
        await pilot.press("1")
        assert form.query_one(Input).value == "91"
        other.focus()
        await pilot.pause()
        assert not form.query(Input)
        assert form.values["training.rank"] == 16


async def test_problems_of_the_whole_project_stand_at_their_field() -> None:
    form, app = form_of("training")
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        await pilot.press("enter", "7", "enter")
        assert [problem.what for problem in form.problems] == ["must not be 7"]
        assert row_of(app, "rank").split()[:3] == [">!", "rank", "7"]
        assert "must not be 7; 8 works" in "\n".join(screen_lines(app))
        await pilot.press("u")
        assert form.problems == []
        assert "!" not in row_of(app, "rank")


async def test_choices_turn_both_ways() -> None:
    form, app = form_of("model")
    choices = next(field for field in form.fields if field.key == "model.quantization").choices
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "model.quantization")
        seen = []
        for key in ["right"] * len(choices) + ["left", "enter"]:
            await pilot.press(key)
            seen.append(form.values["model.quantization"])
        assert seen == [*choices[1:], choices[0], choices[-1], choices[0]]
        assert not form.query(Input)


async def test_help_has_default_unit_and_source() -> None:
    form, app = form_of("training")
    for field in form.fields:
        assert field.help, field.key
    async with app.run_test(size=(100, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        shown = "\n".join(screen_lines(app)[-4:])
        assert "training.rank" in shown and "default 16" in shown and "arXiv 2106.09685" in shown


async def test_a_wide_screen_shows_the_help_of_every_field() -> None:
    form, app = form_of("model", "training")
    async with app.run_test(size=(200, 80)):
        for field in form.fields:
            assert field.help[:60] in row_of(app, field.key.partition(".")[2])


async def test_every_field_is_reached_and_seen() -> None:
    form, app = form_of("model", "training", "data", "prompt", "chat")
    async with app.run_test(size=(60, 14)) as pilot:
        form.focus()
        for field in form.fields:
            name = field.key.partition(".")[2]
            assert any(line.startswith(">") and name[:20] in line for line in screen_lines(app)), field.key
            await pilot.press("down")
        await pilot.press("home")
        assert screen_lines(app)[0].strip().startswith("model"), (
            "the heading of the first section is seen again"
        )


async def test_foreign_values_are_one_clean_line() -> None:
    form, app = form_of("model")
    async with app.run_test(size=(80, 24)) as pilot:
        form.load({**form.values, "model.base": "a\n\x1b[31m[/red]" + "x" * 200})
        await pilot.pause()
        assert "[31m[/red]xxx" in row_of(app, "base")
        assert all(line.isprintable() for line in screen_lines(app))


async def test_revert_forgets_all_changes() -> None:
    form, app = form_of("training")
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(pilot, form, "training.rank")
        await pilot.press("enter", "7", "enter", "down", "enter", "9", "enter")
        assert set(form.changes) == {"training.rank", "training.alpha"}
        form.revert()
        assert form.changes == {} and form.problems == []
        await pilot.press("u")
        assert form.changes == {}
