"""Whole evaluations: contestants of every sort, what is wrong with one of them, a stop in the middle."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from evaluations import After, begun, events, planned, work
from trainings import column, go

from workbench.chat.protocol import Target
from workbench.engine.evaluation import job, models
from workbench.engine.evaluation.batches import Stopped
from workbench.engine.evaluation.models import Models
from workbench.errors import WorkbenchError
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.ladder import Ladder
from workbench.evaluation.planning import make_plan
from workbench.evaluation.records import Answer, Draw, Score, read_records
from workbench.evaluation.rows import read_rows
from workbench.evaluation.standing import Table
from workbench.project.store import open_project
from workbench.prompts.encoding.encode import make_encoder
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run, create_run, list_runs

MakeProject = Callable[..., Path]
SETTINGS: dict[str, Any] = {"evaluation__decoding__max_new_tokens": 4, "evaluation__take": 5}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trained project is kept from test to test."""
    return tmp_path_factory.mktemp("kept") / "project"


@pytest.fixture
def trained(make_project: MakeProject, tmp_path: Path, kept: Path) -> tuple[Path, Run]:
    """A project with a run of two checkpoints, trained once."""
    if not kept.exists():
        folder = make_project(data={"validation": 0.2}, max_steps=6, save_steps=3, eval_steps=3)
        project = open_project(folder)
        go(create_run(project, ["test"], {}, make_encoder(project).template.source))
        shutil.copytree(folder, kept)
    else:
        shutil.copytree(kept, tmp_path / "project")
    (run,) = list_runs(tmp_path / "project")
    assert len(list_checkpoints(run)) == 2
    return tmp_path / "project", run


def add_source(folder: Path, name: str, *rows: dict[str, str]) -> None:
    """One more file, all of whose rows are the test set."""
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = {"kind": "fields", "path": name, "user": ["{instruction}"], "split": "test"}
    with (folder / "project.toml").open("a") as file:
        file.write(
            "\n".join(["[[data.source]]", *(f"{key} = {json.dumps(table[key])}" for key in table)]) + "\n"
        )


def table(evaluation: Evaluation) -> Table:
    return Ladder(evaluation).read()


def lines(evaluation: Evaluation, number: int) -> tuple[list[Score], list[Answer]]:
    place = evaluation.contestant(number)
    return list(read_records(place.scores, Score)), list(read_records(place.answers, Answer))


def test_base_examples_and_checkpoints_on_the_same_rows(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    shots = {"prompt__few_shot__count": 2, "evaluation__few_shot_repeats": 2}
    evaluation = begun(*planned(folder, **SETTINGS | shots | {"evaluation__take": 0}))
    assert work(evaluation) == ""
    found = table(evaluation)
    assert [standing.name for standing in found.standings] == ["base", "base, 2 examples", "step 3", "step 6"]
    assert all(standing.finished for standing in found.standings)
    assert found.common == found.total == len(read_rows(evaluation))
    base, examples, *steps = found.standings
    assert base.perplexity and examples.perplexity and base.perplexity.sd is None
    assert examples.perplexity.repeats == 2 and examples.answers == 2 * base.answers
    draws = list(read_records(evaluation.contestant(1).shots, Draw))
    assert [draw.seed for draw in draws] == [42, 43] and draws[0].rows != draws[1].rows
    # The same rows, template and mask as the validation of the run itself
    losses = column(run, "validation_loss", "evaluated")
    assert [step.loss.mean for step in steps if step.loss] == pytest.approx(losses, rel=1e-5)
    assert found.best is not None and found.best.name == "step 6"
    against = found.standings[3].against_first
    assert against is not None and against.wins == found.common


def test_a_stopped_one_goes_on_and_counts_nothing_twice(trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    whole = begun(*planned(folder, **SETTINGS))
    work(whole)
    halves = begun(*planned(folder, **SETTINGS))
    attempts = 0
    while True:
        try:
            work(halves, After(6))
            break
        except Stopped:
            attempts += 1
            # A kill in the middle of a line
            for path in halves.folder.glob("contestants/*/scores.jsonl"):
                path.write_bytes(path.read_bytes() + b'{"v":1,"source":0,"row":1')
    assert attempts > 2
    for number in range(3):
        scores, answers = lines(halves, number)
        others = lines(whole, number)
        assert len({(score.repeat, score.key) for score in scores}) == len(scores) == len(others[0])
        by_row = {score.key: score for score in scores}
        for score in others[0]:
            assert by_row[score.key].nll == pytest.approx(score.nll, rel=1e-5)
        assert {each.key: each.text for each in answers} == {each.key: each.text for each in others[1]}


def test_a_checkpoint_that_is_gone_is_left_out_and_the_others_go_on(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    evaluation = begun(*planned(folder, **SETTINGS))
    shutil.rmtree(run.checkpoints / "step-3")
    assert "the checkpoint is gone" in work(evaluation)
    found = table(evaluation)
    assert "the checkpoint is gone" in found.standings[1].left_out
    assert [standing.finished for standing in found.standings] == [True, False, True]
    assert found.common == found.total


def test_a_checkpoint_of_another_base_model_is_refused_by_name(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    spec = json.loads(run.spec.read_text())
    spec["fingerprints"]["base_model"] = "0" * 64
    run.spec.write_text(json.dumps(spec))
    evaluation = begun(*planned(folder, **SETTINGS))
    said = work(evaluation)
    assert said.count("the base model is not the one that run") == 2 and "base (" not in said


def test_nothing_that_works_is_a_failure(make_project: MakeProject) -> None:
    folder = make_project()
    project, plan = planned(folder, **SETTINGS)
    broken = [each.model_copy(update={"target": _elsewhere(each.target)}) for each in plan.contestants]
    evaluation = begun(project, plan.model_copy(update={"contestants": broken}))
    with pytest.raises(WorkbenchError, match="nothing could be measured"):
        work(evaluation)


def _elsewhere(target: Target) -> Target:
    return replace(target, base="/nowhere/at/all")


def test_an_empty_side_is_refused_in_words(make_project: MakeProject) -> None:
    folder = make_project()
    add_source(folder, "none.jsonl", {"instruction": "", "output": ""})
    evaluation = begun(*planned(folder))
    with pytest.raises(WorkbenchError, match="there are no test rows to evaluate on"):
        work(evaluation)
    assert any("none.jsonl" in each["message"] for each in events(evaluation, "warning"))


def test_rows_without_a_reference_are_answered_and_not_scored(make_project: MakeProject) -> None:
    folder = make_project()
    add_source(folder, "asked.jsonl", {"instruction": "what is oslo"}, {"instruction": "of norway"})
    evaluation = begun(*planned(folder, **SETTINGS))
    work(evaluation)
    scores, answers = lines(evaluation, 0)
    assert [score.skipped for score in scores] == ["no reference"] * 2
    assert len(answers) == 2 and all(answer.tokens and not answer.skipped for answer in answers)
    (base,) = table(evaluation).standings
    assert base.perplexity is None and base.skipped == {"no reference": 2} and base.answers == 2


def test_take_draws_rows_by_seed(make_project: MakeProject) -> None:
    folder = make_project()
    chosen = []
    for seed in (1, 1, 2):
        settings = SETTINGS | {"data__seed": seed, "evaluation__rows": "train", "evaluation__answers": False}
        evaluation = begun(*planned(folder, **settings))
        work(evaluation)
        chosen.append([row.row for row in read_rows(evaluation)])
    assert len(chosen[0]) == 5 and chosen[0] == chosen[1] != chosen[2]
    assert chosen[0] == sorted(chosen[0])


def test_templates_are_held_against_each_other(make_project: MakeProject) -> None:
    folder = make_project()
    with (folder / "project.toml").open("a") as file:
        file.write('[[prompt.variant]]\nname = "roles"\ntemplate = "vicuna"\n')
    project = open_project(folder, None, {"evaluation.answers": False})
    evaluation = begun(project, make_plan(project, "templates"))
    work(evaluation)
    found = table(evaluation)
    assert [standing.name for standing in found.standings] == ["base", "roles"]
    assert found.standings[0].loss != found.standings[1].loss


def test_a_base_is_loaded_once_for_its_adapters(
    trained: tuple[Path, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = trained
    loaded: list[Path] = []
    real = models.load_base
    monkeypatch.setattr(models, "load_base", lambda t, f: loaded.append(f) or real(t, f))
    plan = planned(folder, **SETTINGS)[1]
    held = Models()
    logits = []
    for contestant in [*plan.contestants, plan.contestants[0]]:
        model = held.load(contestant.target)
        with torch.no_grad():
            logits.append(model(input_ids=torch.tensor([[5, 6, 7]])).logits)
    assert len(loaded) == 1
    assert torch.equal(logits[0], logits[-1])
    assert not torch.equal(logits[0], logits[1]) and not torch.equal(logits[1], logits[2])


def test_other_examples_than_before_are_refused(make_project: MakeProject) -> None:
    folder = make_project()
    shots = {"prompt__few_shot__count": 1, "evaluation__few_shot_repeats": 1, "evaluation__answers": False}
    evaluation = begun(*planned(folder, **SETTINGS | shots))
    with pytest.raises(Stopped):
        work(evaluation, After(2))
    place = evaluation.contestant(1)
    if not place.shots.exists():
        pytest.fail("the examples were not drawn yet")
    place.scores.unlink()
    drawn = json.loads(place.shots.read_text())
    place.shots.write_text(json.dumps(drawn | {"rows": [[0, 39 - drawn["rows"][0][1]]]}) + "\n")
    assert "other examples would be drawn" in work(evaluation)


def test_a_full_disk_ends_it_and_the_rest_is_done_later(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project()
    evaluation = begun(*planned(folder, **SETTINGS))
    real, left = job.Lines.append, [1]

    def full(lines: Any, records: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(lines, records)

    monkeypatch.setattr(job.Lines, "append", full)
    with pytest.raises(OSError, match="No space left"):
        work(evaluation)
    monkeypatch.undo()
    assert work(evaluation) == ""
    assert table(evaluation).standings[0].finished


def test_progress_ends_at_all_rows(make_project: MakeProject) -> None:
    evaluation = begun(*planned(make_project(), **SETTINGS))
    work(evaluation)
    told = events(evaluation, "progress")
    total = 2 * len(read_rows(evaluation))
    assert (told[-1]["done"], told[-1]["total"], told[-1]["eta_seconds"]) == (total, total, 0.0)
    assert [each["done"] for each in told] == sorted(each["done"] for each in told)
    assert events(evaluation, "loaded")[0]["dtype"] == "fp32"
