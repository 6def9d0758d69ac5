"""A foreign run as a run folder: listed, judged, described; never resumed; whole or not there at all."""

import json
from pathlib import Path

import pytest
from run_helpers import all_events

from workbench.chat.targets import targets
from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject
from workbench.runs import launch
from workbench.runs.describe import describe_run
from workbench.runs.folder import RUNS, list_runs, read_imported, read_spec
from workbench.runs.imports import importing
from workbench.runs.imports.importing import import_run
from workbench.runs.lock import is_held
from workbench.runs.status import State, read_status
from workbench.runs.verdict.facts import judge_run

HEADER = "step,elapsed_examples,training_loss,validation_loss\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """251 steps of 8 examples, validated at every eighth."""
    path = tmp_path / "compiled results.csv"
    rows = (f"{s},{8 * s},{2 / s + 0.1},{1 + 0.001 * s if s % 8 == 1 else ''}\n" for s in range(1, 252))
    path.write_text(HEADER + "".join(rows))
    return path


def test_it_is_a_run_like_ours(project: OpenProject, results: Path) -> None:
    run = import_run(project.folder, results)
    assert list_runs(project.folder) == [run] and run.id.endswith("-compiled-results")
    status = read_status(run)
    assert (status.state, status.step, status.total_steps) == (State.IMPORTED, 251, 251)
    assert status.validation_loss == pytest.approx(1.249) and status.best_step == 1
    assert "compiled results.csv" in status.reason
    assert describe_run(run)["validation_loss"].count == 32
    assert judge_run(run).headline.name == "overfitting"
    events = all_events(run)
    assert [events[0]["kind"], events[-1]["kind"]] == ["started", "ended"]
    assert events[0]["effective_batch"] == 8, "the file counts examples"
    assert {event["time"] for event in events} == {results.stat().st_mtime}
    assert not is_held(run)


def test_its_spec_tells_where_it_came_from(project: OpenProject, results: Path) -> None:
    run = import_run(project.folder, results, name="gpt 3", rows=200)
    assert run.id.endswith("-gpt-3")
    spec = read_imported(run)
    assert spec is not None and spec.id == run.id
    assert spec.imported.file == str(results) and spec.imported.format == "OpenAI fine-tuning results"
    assert spec.settings == {"effective_batch": 8, "rows": 200}
    with pytest.raises(WorkbenchError, match="was imported: it has no settings and no checkpoints"):
        read_spec(run)


def test_epochs_are_examples_over_rows(project: OpenProject, results: Path) -> None:
    run = import_run(project.folder, results, rows=200)
    last = [event for event in all_events(run) if event["kind"] == "step"][-1]
    assert last["epoch"] == pytest.approx(10.04)
    assert judge_run(run).headline.epoch == pytest.approx(0.04)


def test_epochs_by_a_batch_that_is_given(project: OpenProject, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("step,loss\n10,1\n20,0.5\n")
    run = import_run(project.folder, path, rows=100, batch=4)
    assert [event["epoch"] for event in all_events(run) if event["kind"] == "step"] == [0.4, 0.8]


def test_it_cannot_be_resumed_or_chatted_with(project: OpenProject, results: Path) -> None:
    run = import_run(project.folder, results)
    with pytest.raises(WorkbenchError, match="imported: it has no checkpoint to go on from"):
        launch.start(project, resume=run)
    assert [target.kind for target in targets(project)] == ["base"]
    assert read_status(run).state is State.IMPORTED


def test_the_same_file_is_refused_and_another_of_the_name_is_not(project: OpenProject, results: Path) -> None:
    first = import_run(project.folder, results)
    copy = results.with_name("copy.csv")
    copy.write_bytes(results.read_bytes())
    with pytest.raises(WorkbenchError, match=f"imported before, as {first.id}"):
        import_run(project.folder, copy)
    results.write_text("step,loss\n1,1\n")
    assert import_run(project.folder, results) != first
    assert len(list_runs(project.folder)) == 2


def test_nothing_is_left_where_it_fails(
    project: OpenProject, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "_write_events", full)
    with pytest.raises(WorkbenchError, match="No space left"):
        import_run(project.folder, results)
    assert list((project.folder / RUNS).iterdir()) == []


def test_a_trainer_state_tells_its_settings_and_its_steps(project: OpenProject, tmp_path: Path) -> None:
    state = {"max_steps": 90, "log_history": [{"step": 10, "loss": 1.0, "epoch": 0.1}]}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    run = import_run(project.folder, tmp_path)
    assert read_status(run).total_steps == 90
    spec = read_imported(run)
    assert spec is not None and spec.settings == {"max_steps": 90}


def test_files_that_are_not_there(project: OpenProject, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no such file"):
        import_run(project.folder, tmp_path / "none.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkbenchError, match="holds no TensorBoard event file"):
        import_run(project.folder, tmp_path / "empty")


def test_a_run_of_our_own_is_not_imported(project: OpenProject, results: Path) -> None:
    run = import_run(project.folder, results)
    content = json.loads(run.spec.read_text())
    run.spec.write_text(json.dumps(content | {"v": 2}))
    with pytest.raises(WorkbenchError, match=r"spec\.json: v"):
        read_imported(run)
    run.spec.write_text("{")
    assert read_imported(run) is None
