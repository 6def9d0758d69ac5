"""Run folders: unique, complete or invisible, found by what a person types."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import folder as module
from workbench.runs.folder import Run, create_run, find_run, list_runs, read_spec, require_own


def make(project: OpenProject) -> Run:
    return create_run(project, ["workbench", "train"], {"data": "d" * 64}, "{{ messages }} 文")


def test_the_spec_says_what_the_run_was_started_with(project: OpenProject) -> None:
    opened = open_project(project.folder, "short", {"training.rank": 4})
    run = make(opened)
    spec = read_spec(run)
    assert spec.project == opened.settings and spec.project.training.rank == 4
    assert (spec.id, spec.profile, spec.overrides) == (run.id, "short", {"training.rank": 4})
    assert spec.base_model.name == "embedded" and (Path(spec.base_model.folder) / "config.json").is_file()
    assert (spec.template.name, spec.template.source) == ("base", "{{ messages }} 文")
    assert spec.fingerprints == {"data": "d" * 64} and spec.command == ["workbench", "train"]
    assert {"workbench", "python", "torch"} <= spec.versions.keys()
    assert abs(spec.created - time.time()) < 60
    reopened = spec.open_project()
    assert (reopened.folder, reopened.settings) == (project.folder, opened.settings)


def test_ids_tell_when_and_what(project: OpenProject) -> None:
    assert make(project).id.endswith("-lora-r16")
    assert make(open_project(project.folder, None, {"training.method": "full"})).id.endswith("-full")


def test_runs_of_one_second_get_their_own_folders(
    project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(module.time, "time", lambda: now)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: make(project), range(12)))
    assert len({run.folder for run in runs}) == 12
    names = [run.id for run in list_runs(project.folder)]
    assert names[0].endswith("-r16-12") and names[-2].endswith("-r16-2") and names[-1].endswith("-r16")


def test_a_folder_without_a_spec_is_no_run(project: OpenProject) -> None:
    assert list_runs(project.folder) == []
    run = make(project)
    (project.folder / "runs" / "half-made").mkdir()
    (project.folder / "runs" / "notes.txt").touch()
    assert list_runs(project.folder) == [run]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"v": 2}', b"\xff\xfe", b'{"v":1,"id":3}'])
def test_a_broken_spec_is_told(run: Run, content: bytes) -> None:
    run.spec.write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"spec\.json"):
        read_spec(run)


def test_a_missing_spec_and_a_wrong_setting_are_told(run: Run) -> None:
    spec = json.loads(run.spec.read_text())
    spec["project"]["training"]["rank"] = -1
    run.spec.write_text(json.dumps(spec))
    with pytest.raises(WorkbenchError, match="project.training.rank"):
        read_spec(run)
    run.spec.unlink()
    with pytest.raises(WorkbenchError, match="cannot be read"):
        read_spec(run)


def test_a_project_that_moved_takes_its_runs_along(project: OpenProject, tmp_path: Path) -> None:
    run = make(project)
    moved = tmp_path / "elsewhere"
    shutil.move(project.folder, moved)
    spec = read_spec(Run(moved / "runs" / run.id))
    assert spec.project_folder == moved and spec.open_project().folder == moved


def test_runs_are_found_by_what_a_person_types(
    project: OpenProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make(project), make(project)
    for text in (new.id, str(new.folder), "latest"):
        assert find_run(text, project.folder) == new
        assert find_run(text, project.folder.parent) == new
    monkeypatch.chdir(project.folder)
    assert find_run(old.id) == old
    assert find_run(f"runs/{old.id}") == old
    monkeypatch.chdir(project.folder.parent)
    assert find_run("latest") == new
    (tmp_path / "work").mkdir()
    shutil.move(project.folder, tmp_path / "work" / "projects" / "small")
    monkeypatch.chdir(tmp_path / "work")
    assert find_run("latest").id == new.id


def test_a_run_that_is_not_there_is_told_with_the_nearest(project: OpenProject, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no runs yet"):
        find_run("latest", project.folder)
    run = make(project)
    with pytest.raises(WorkbenchError, match=f"did you mean {run.id}"):
        find_run(run.id[:-1], project.folder)
    with pytest.raises(WorkbenchError, match="the newest is"):
        find_run("\0x", project.folder)
    shutil.copytree(project.folder, tmp_path / "copy")
    with pytest.raises(WorkbenchError, match="2 runs are called"):
        find_run(run.id, tmp_path)


@pytest.mark.parametrize("text", ["~nobody-of-this-name", "x" * 300, "~nobody/run\nwith a break"])
def test_a_name_that_no_folder_can_have_is_no_run(project: OpenProject, text: str) -> None:
    make(project)
    with pytest.raises(WorkbenchError, match="no run"):
        find_run(text, project.folder)


def test_a_run_named_from_inside_itself_knows_its_own_name(
    project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(project)
    monkeypatch.chdir(run.checkpoints)
    assert find_run("..").id == run.id


def test_a_project_called_projects_does_not_count_its_runs_twice(
    project: OpenProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = make(project)
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "projects").symlink_to(project.folder)
    monkeypatch.chdir(desk)
    assert find_run(run.id).id == run.id


def test_a_run_of_another_project_is_refused(project: OpenProject, tmp_path: Path) -> None:
    run = make(project)
    require_own(run, project.folder)
    with pytest.raises(WorkbenchError, match="another project"):
        require_own(run, tmp_path)
