"""What keeps a run from starting, and how a person lets it start all the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from run_helpers import until

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs import control
from workbench.runs.folder import list_runs
from workbench.runs.launch import Argv, start
from workbench.runs.lock import is_held
from workbench.runs.preflight import check
from workbench.runs.status import read_status


@pytest.fixture
def leaking(project: OpenProject) -> OpenProject:
    """The project with a validation source that repeats a training row, and one that loses its rows."""
    (project.folder / "held.jsonl").write_bytes((project.folder / "train.jsonl").read_bytes())
    (project.folder / "lost.jsonl").write_text(json.dumps({"messages": []}) + "\n")
    text = project.file.read_text()
    source = '[[data.source]]\nkind = "fields"\npath = "{}"\nuser = ["{{instruction}}"]\n{}\n'
    more = source.format("held.jsonl", 'split = "validation"') + source.format("lost.jsonl", "")
    project.file.write_text(text.replace("[profile", more + "[profile"))
    return open_project(project.folder)


def test_it_gives_the_template_and_says_how_far_it_is(project: OpenProject) -> None:
    shares: list[float] = []
    assert "<|" in check(project, shares.append)
    assert shares[-1] == 1.0
    assert check(project) == check(project)


def test_red_findings_are_refused_each_with_its_way_around(leaking: OpenProject) -> None:
    with pytest.raises(WorkbenchError) as caught:
        start(leaking)
    lost, leak = caught.value.problems
    assert (lost.where, leak.where) == ("source-lost", "leak")
    assert "columns there: messages" in lost.hint
    assert "4 rows held out are trained on" in leak.what
    assert """--set data.accept='["leak"]'""" in leak.hint
    assert not list_runs(leaking.folder)


def test_accepted_by_name_they_are_not(leaking: OpenProject) -> None:
    with pytest.raises(WorkbenchError) as caught:
        check(open_project(leaking.folder, None, {"data.accept": ["leak"]}))
    assert [problem.where for problem in caught.value.problems] == ["source-lost"]
    assert check(open_project(leaking.folder, None, {"data.accept": ["source-lost", "leak"]}))


def test_what_was_accepted_at_the_start_is_accepted_when_it_goes_on(
    leaking: OpenProject, trainer: Callable[..., Argv]
) -> None:
    accepting = open_project(leaking.folder, None, {"data.accept": ["source-lost", "leak"]})
    run = start(accepting, argv=trainer())
    until(lambda: read_status(run).step, "step")
    control.send(run, "stop")
    until(lambda: not is_held(run), "end")
    assert start(leaking, resume=run, argv=trainer(steps=read_status(run).step + 3)) == run
    until(lambda: not is_held(run), "end")


def test_a_name_that_does_not_exist_is_told_with_the_nearest(project: OpenProject) -> None:
    with pytest.raises(WorkbenchError, match="did you mean truncated"):
        check(open_project(project.folder, None, {"data.accept": ["truncate"]}))


def test_no_data_and_unreadable_data(project: OpenProject, tmp_path: Path) -> None:
    (project.folder / "train.jsonl").unlink()
    with pytest.raises(WorkbenchError, match="no such file"):
        check(project)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "project.toml").write_text('format = 1\nname = "bare"\n')
    with pytest.raises(WorkbenchError, match="no data"):
        check(open_project(bare))


def test_rows_of_which_none_trains(project: OpenProject) -> None:
    (project.folder / "train.jsonl").write_text('{"instruction": "a", "output": ""}\n' * 3)
    with pytest.raises(WorkbenchError, match="no row can be trained on: 3 x empty assistant message"):
        check(project)


def test_a_full_disk_is_told_before(project: OpenProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runs.preflight.LEAST_FREE_BYTES", 2**60)
    with pytest.raises(WorkbenchError, match="MB free, a checkpoint needs about"):
        check(project)
