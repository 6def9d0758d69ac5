"""The projects that come along, in a checkout and in a wheel, and copies of them."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project import examples
from workbench.project.examples import copy_example, example_projects
from workbench.project.store import open_project

ROOT = Path(__file__).parents[2]


def test_each_says_what_it_is_about() -> None:
    listed = {example.name: example.about for example in example_projects()}
    assert "tea-house" in listed and all(listed.values()), listed


def test_a_copy_has_all_but_the_work_and_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / "examples" / "tea-house"
    shutil.copytree(ROOT / "projects" / "tea-house", original, ignore=shutil.ignore_patterns("runs", "chats"))
    for name in ("runs/r", "chats", "data/runs"):
        (original / name).mkdir(parents=True)
        (original / name / "file").touch()
    monkeypatch.setattr(examples, "_PLACES", (tmp_path / "none", tmp_path / "examples"))
    copied = copy_example("tea-house", tmp_path / "mine")
    assert copied.name == open_project(tmp_path / "mine").name == "mine"
    assert "# A tea house teaches" in copied.text
    here = {path.relative_to(copied.folder).as_posix() for path in copied.folder.rglob("*")}
    assert "data/train.jsonl" in here and "data/runs/file" in here
    assert not any(path.startswith(("runs", "chats")) for path in here)
    assert copy_example("tea-house", tmp_path / "deep" / "tea-house").name == "tea-house"


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    (tmp_path / "file").touch()
    for target in ("mine", "file", "file/below"):
        with pytest.raises(WorkbenchError):
            copy_example("tea-house", tmp_path / target)
    with pytest.raises(WorkbenchError, match="did you mean tea-house"):
        copy_example("teahouse", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_wheel_brings_them_along_without_their_runs(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling: the extra `test` has it")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "projects", source / "projects", ignore=shutil.ignore_patterns("runs"))
    (source / "workbench").mkdir()
    shutil.copy(ROOT / "workbench" / "__init__.py", source / "workbench")
    (source / "projects" / "tea-house" / "runs" / "r").mkdir(parents=True)
    (source / "projects" / "tea-house" / "runs" / "r" / "spec.json").touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    for project in (ROOT / "projects").glob("*/project.toml"):
        assert f"workbench/examples/{project.parent.name}/project.toml" in inside
    assert "workbench/examples/tea-house/data/train.jsonl" in inside
    assert not any("/runs/" in name for name in inside)
