"""A new project in the screen: data, base model, name, how its rows are read; and what it refuses."""

import json
from pathlib import Path

import huggingface_hub.constants
import pytest
from desk import at_desk, rows_of

from workbench.project.store import open_project


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two data files, a cached model, and a folder of projects to come."""
    cache = tmp_path / "cache"
    snapshot = cache / "models--org--small" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (cache / "models--org--half" / "snapshots" / "abc").mkdir(parents=True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    home = tmp_path / "home"
    home.mkdir()
    (home / "tea.jsonl").write_text(rows_of(*((f"question {i}", f"answer {i}") for i in range(5))))
    (home / "strange.jsonl").write_text(json.dumps({"x": 1, "y": 2}) + "\n")
    monkeypatch.chdir(home)
    return home


async def test_from_a_file_to_a_project_that_is_open(home: Path) -> None:
    async with at_desk(home / "projects") as desk:
        await desk.press("n")
        await desk.sees("New project", "strange.jsonl", "tea.jsonl")
        await desk.press("down", "down", "tab")
        await desk.sees("embedded", "org/small")
        assert "org/half" not in desk.text
        await desk.press("enter")
        await desk.sees("base model embedded", 'kind = "fields"', "w makes the project")
        await desk.press(*["pagedown"] * 2)
        await desk.sees("question 1", "row 2, 3 of 3")
        await desk.press("w")
        await desk.sees("5 kept")
        assert desk.app.workspace.project.folder == home / "projects" / "tea"
        settings = desk.app.workspace.project.settings
        assert settings.model.base == "embedded" and settings.training.preset == "up-to-100m"


async def test_what_it_refuses_can_be_mended(home: Path) -> None:
    (home / "projects" / "taken").mkdir(parents=True)
    async with at_desk(home / "projects") as desk:
        await desk.press("n", *"strange.jsonl", "enter")
        await desk.sees("! ", "columns: x, y")
        await desk.press(*["backspace"] * len("strange.jsonl"), *"tea.jsonl", "tab", *"./nowhere", "enter")
        await desk.sees("no base model './nowhere'")
        await desk.press(*["backspace"] * len("./nowhere"), *"org/absent", "tab", *"taken", "enter")
        await desk.sees("there is something already")
        await desk.press(*["backspace"] * len("taken"), *"a/b", "enter")
        await desk.sees("without a /")
        await desk.press(*["backspace"] * len("a/b"), *"mine", "enter")
        await desk.sees("workbench fetch org/absent")
        await desk.press("e")
        await desk.sees("to pick from")
        await desk.press("enter")
        await desk.sees("w makes the project")
        await desk.press("w")
        await desk.sees("5 kept")
        assert open_project(home / "projects" / "mine").settings.model.base == "org/absent"


async def test_an_empty_one_and_leaving(home: Path) -> None:
    async with at_desk(home / "projects") as desk:
        await desk.press("n", "escape")
        await desk.sees("There is no project")
        await desk.press("end", "enter", "enter")
        await desk.sees("No rows yet")
        await desk.press("w")
        await desk.sees("no [[data.source]]")
        assert desk.app.workspace.project.folder == home / "projects" / "my-project"
