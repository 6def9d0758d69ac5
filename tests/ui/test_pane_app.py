"""What holds in every pane: keys, help, palette, dialogs, small windows, no colours."""

from pathlib import Path

import pytest
from desk import SIZES, at_desk, make_project, rows_of

from workbench.errors import Problem, WorkbenchError
from workbench.ui import app as app_module
from workbench.ui.actions import ACTIONS
from workbench.ui.app import PANES, WorkbenchApp
from workbench.ui.panes.chat.candidates import CandidatesView
from workbench.ui.panes.chat.tokens import TokensView
from workbench.ui.panes.data.pane import VIEWS
from workbench.ui.panes.evaluate.pane import VIEWS as EVALUATE_VIEWS
from workbench.ui.panes.prompt_variants import VariantsView
from workbench.ui.panes.train.compare import CompareView
from workbench.ui.panes.train.queue import QueueView
from workbench.ui.panes.welcome import WelcomePane
from workbench.ui.widgets.form import Form

ESCAPES = ["[/INST]", "[/ y", "[@click=app.quit]x[/]"]


def test_every_action_has_a_handler_and_a_key_of_its_own() -> None:
    from importlib import import_module

    kinds = {
        place: getattr(import_module(f"workbench.ui.panes.{place}"), f"{place.title()}Pane")
        for place in PANES
    }
    kinds |= {"app": WorkbenchApp, "form": Form, "welcome": WelcomePane}
    views = {
        f"data.{view}": getattr(import_module(f"workbench.ui.panes.data.{view}"), f"{view.title()}View")
        for view in VIEWS
    }
    kinds = views | kinds | {"prompt.variants": VariantsView}
    kinds |= {f"train.{view.NAME}": view for view in (CompareView, QueueView)}
    of_answers = {
        f"evaluate.{view}": getattr(
            import_module(f"workbench.ui.panes.evaluate.{view}"), f"{view.title()}View"
        )
        for view in EVALUATE_VIEWS
    }
    kinds = of_answers | kinds | {"chat.tokens": TokensView, "chat.candidates": CandidatesView}
    taken: dict[str, set[str]] = {place: set() for place in kinds}
    for action in sorted(ACTIONS, key=lambda action: list(kinds).index(action.place)):
        kind = kinds[action.place]
        assert hasattr(kind, f"do_{action.name}") or action.name.removeprefix("show_") in PANES, action
        for key in action.keys.split(","):
            assert key not in taken[action.place], f"{key} twice in {action.place}"
            # While one answer is to be picked, its number goes to it: the view is nearer than the app
            picks = action.place in ("app", "chat.candidates")
            assert picks or key not in taken["app"], f"{key} is taken everywhere"
            assert action.place != "data" or all(key not in taken[view] for view in views), f"{key} in a view"
            in_view = [view for view in of_answers if key in taken[view]]
            assert action.place != "evaluate" or not in_view, f"{key} in {in_view}"
            taken[action.place].add(key)
        assert action.help and not action.help.endswith("."), action


@pytest.mark.parametrize("size", SIZES)
async def test_help_and_keys_in_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_desk(make_project(tmp_path / "p"), size) as desk:
        for key, place in zip("123456", PANES, strict=True):
            await desk.press("escape", key)
            await desk.until(lambda place=place: desk.app.place == place)
            lines = desk.text.splitlines()
            assert f"[{key} {PANES[place]}]" in lines[0]
            assert lines[-1].rstrip().endswith("? help  q quit"), lines[-1]
            await desk.press("escape", "question_mark")
            shown = ""
            for _ in range({50: 2, 24: 5, 15: 8}[size[1]]):
                shown += desk.text
                await desk.press("pagedown")
            for action in ACTIONS:
                if action.place in ("app", *desk.app.pane.places):
                    assert action.help.split(",")[0][:30] in shown, action.help
            await desk.press("question_mark")
            assert len(desk.app.screen_stack) == 1


async def test_timers_go_on_under_a_dialog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "STATE_SECONDS", 0.02)
    async with at_desk(make_project(tmp_path / "p")) as desk:
        looks = 0
        look_at_runs = desk.app.look_at_runs

        def look() -> None:
            nonlocal looks
            look_at_runs()
            looks += 1

        desk.app.set_interval(0.02, look)
        for key, sight in (
            ("question_mark", "Start a run in the background"),
            ("p", "Projects"),
            ("ctrl+p", "Search for an action"),
        ):
            await desk.press("4", key)
            await desk.sees(sight)
            before = looks
            desk.app.pane._list()  # type: ignore[attr-defined]
            await desk.until(lambda before=before: looks > before + 2)
            await desk.press("escape")
            assert len(desk.app.screen_stack) == 1


async def test_the_palette_runs_an_action(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p", rows_of(("one", ""), ("two", "yes")))) as desk:
        await desk.sees("1 kept")
        await desk.press("down")
        assert desk.app.workspace.row == (0, 1)
        await desk.press("ctrl+p")
        await desk.sees("Search for an action")
        await desk.press(*"data: rej")
        await desk.sees("data: Rejected", "Go to the next row")
        await desk.press("down", "enter")
        await desk.until(lambda: desk.app.workspace.row == (0, 0) and len(desk.app.screen_stack) == 1)
        await desk.press("ctrl+p", *"open another", "down", "enter")
        await desk.sees("Projects")


async def test_windows_of_every_size(tmp_path: Path) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        for key in "12346":
            await desk.press("escape", key)
            for width, height in ((20, 5), (1, 1), (40, 12), (300, 90), (5, 40), (80, 24)):
                await desk.pilot.resize_terminal(width, height)
                await desk.until(lambda height=height: len(desk.text.splitlines()) <= height)
        await desk.press("escape", "question_mark")
        for width, height in ((20, 5), (80, 24)):
            await desk.pilot.resize_terminal(width, height)
            await desk.pilot.pause()
        await desk.press("end")
        await desk.sees("esc closes this")


async def test_without_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with at_desk(make_project(tmp_path / "p"), (120, 40)) as desk:
        for key in "12346":
            await desk.press("escape", key)
            await desk.until(lambda key=key: f"[{key} " in desk.text)
        await desk.press("escape", "question_mark", "end")
        await desk.sees("Moving", "Hold shift")


async def test_notices_are_read_in_full(tmp_path: Path) -> None:
    problems = [
        Problem(f"what is wrong here {n} {text}", f"project.toml:{n}", "do this")
        for n, text in enumerate(ESCAPES)
    ]
    async with at_desk(make_project(tmp_path / "p"), notifications=True) as desk:
        desk.app.tell(WorkbenchError(*problems))
        await desk.until(
            lambda: all(str(problem) in desk.text for problem in problems), "the problems, a line each"
        )
        desk.app.say(ESCAPES[2])
        await desk.sees(ESCAPES[2])


async def test_a_fault_in_a_worker_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_desk(make_project(tmp_path / "p")) as desk:
        await desk.sees("4 kept")
        monkeypatch.setattr(type(desk.app.workspace), "encoder", lambda _: 1 / 0)
        await desk.press("2")
        await desk.hears("ZeroDivisionError")
        assert desk.app.is_running
