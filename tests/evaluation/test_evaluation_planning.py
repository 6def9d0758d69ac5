"""Plans of a project, and evaluations as jobs: begun, listed, stopped, resumed."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.evaluation import jobs, room
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.plan import Plan
from workbench.evaluation.planning import make_plan, side_of
from workbench.evaluation.status import read_status
from workbench.project.evaluation import Decoding
from workbench.project.store import OpenProject, open_project
from workbench.runs import lock
from workbench.runs.checkpoints import publish
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run, create_run
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.status import State

SECONDS = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    rows = [{"instruction": f"question {i}", "output": f"answer {i}"} for i in range(20)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = '[[data.source]]\nkind = "fields"\npath = "train.jsonl"\nuser = ["{instruction}"]\n'
    (folder / "project.toml").write_text(f'format = 1\nname = "plans"\n{source}')
    return folder


def project(folder: Path, **overrides: object) -> OpenProject:
    return open_project(folder, None, {key.replace("__", "."): value for key, value in overrides.items()})


def make_run(folder: Path, *steps: int, best: int | None = None) -> Run:
    run = create_run(open_project(folder), ["test"], {}, "{{ messages }}")
    for step in steps:
        staging = run.checkpoints / f".staging-{step}"
        staging.mkdir()
        (staging / "adapter_config.json").write_text("{}")
        publish(staging, run.checkpoints / f"step-{step}")
    events = EventWriter(run.events)
    for step in steps:
        loss = 1.0 if step == best else 2.0
        events.write("evaluated", step=step, epoch=1.0, validation_loss=loss)
    events.close()
    return run


def names(plan: Plan) -> list[str]:
    return [contestant.name for contestant in plan.contestants]


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_base_examples_and_the_newest_run(folder: Path) -> None:
    make_run(folder, 5)
    make_run(folder, 10, 20, 30, best=20)
    plan = make_plan(project(folder, prompt__few_shot__count=3, evaluation__few_shot_repeats=2))
    assert names(plan) == ["base", "base, 3 examples", "step 10", "step 20", "step 30"]
    assert (plan.contestants[1].shots, plan.contestants[1].repeats) == (3, 2)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(("choice", "step"), [("best", 20), ("newest", 30), ("10", 10)])
def test_one_checkpoint_alone(folder: Path, choice: str, step: int) -> None:
    make_run(folder, 10, 20, 30, best=20)
    assert names(make_plan(project(folder), checkpoints=choice)) == ["base", f"step {step}"]


def test_several_runs_are_told_apart_by_name(folder: Path) -> None:
    runs = [make_run(folder, 10), make_run(folder, 10)]
    plan = make_plan(project(folder), runs=runs)
    assert names(plan) == ["base", f"{runs[0].id} step 10", f"{runs[1].id} step 10"]


@pytest.mark.parametrize(
    ("choice", "said"), [("15", "no checkpoint of step 15.*there are: 10"), ("worst", "no such choice")]
)
def test_a_checkpoint_that_there_is_not_is_refused(folder: Path, choice: str, said: str) -> None:
    make_run(folder, 10)
    with pytest.raises(WorkbenchError, match=said):
        make_plan(project(folder), checkpoints=choice)


def test_a_run_without_a_checkpoint_is_refused_when_it_is_named(folder: Path) -> None:
    run = make_run(folder)
    assert names(make_plan(project(folder))) == ["base"]
    with pytest.raises(WorkbenchError, match="no checkpoint"):
        make_plan(project(folder), runs=[run])


def test_templates_bases_and_settings_of_sampling(folder: Path) -> None:
    with (folder / "project.toml").open("a") as file:
        file.write('[[prompt.variant]]\nname = "roles"\ntemplate = "vicuna"\nsystem = "Be brief."\n')
    templates = make_plan(project(folder), "templates")
    assert names(templates) == ["base", "roles"]
    assert templates.contestants[1].target.template == "vicuna"
    assert templates.contestants[1].target.prompt.system == "Be brief."
    bases = make_plan(project(folder), "bases", bases=["/some/merged"])
    assert names(bases) == ["embedded", "/some/merged"]
    decodings = {"cold": Decoding(), "warm": Decoding(temperature=1.0)}
    sampling = make_plan(project(folder), "sampling", decodings=decodings)
    assert names(sampling) == ["cold", "warm"] and sampling.settings.perplexity == "off"
    assert sampling.contestants[1].decoding == decodings["warm"]


def test_a_template_stays_as_it_was_when_the_evaluation_began(folder: Path) -> None:
    (folder / "mine.jinja").write_text("first {{ messages }}")
    opened = project(folder, prompt__template="mine.jinja")
    plan = make_plan(opened, "bases", bases=["owner/not-fetched"])
    evaluation = jobs.start(opened, plan, argv=lambda evaluation: ["true"])
    (folder / "mine.jinja").write_text("second {{ messages }}")
    kept = [each.target.template_source for each in jobs.read_plan(evaluation).contestants]
    assert kept == ["first {{ messages }}"] * 2
    (own,) = make_plan(project(folder, prompt__template="base")).contestants
    assert own.target.template_source and "messages" in own.target.template_source
    (gone,) = make_plan(project(folder, prompt__template="gone.jinja")).contestants
    assert gone.target.template_source is None, "it is told when its turn comes"


@pytest.mark.parametrize("kind", ["templates", "bases", "sampling"])
def test_nothing_to_compare_is_told(folder: Path, kind: str) -> None:
    with pytest.raises(WorkbenchError, match="nothing to compare"):
        make_plan(project(folder), kind)  # type: ignore[arg-type]


def test_the_rows_that_auto_means(folder: Path) -> None:
    assert side_of(project(folder)) == "validation"
    assert side_of(project(folder, evaluation__rows="train")) == "train"
    with pytest.raises(WorkbenchError, match="no row is held out"):
        side_of(project(folder, data__validation=0))
    with (folder / "project.toml").open("a") as file:
        file.write('[[data.source]]\nkind = "fields"\npath = "t.jsonl"\nuser = ["{q}"]\nsplit = "test"\n')
    assert side_of(project(folder)) == "test"


@pytest.mark.parametrize("name", ["no/such/folder", "./gone", "gone.toml"])
def test_a_classifier_that_is_not_there_is_told_before_anything_is_measured(folder: Path, name: str) -> None:
    with pytest.raises(WorkbenchError, match="no such folder|No such file"):
        make_plan(project(folder, evaluation__classifier=name))
    (folder / "words.toml").write_text('joy = ["glad"]')
    for known in ("lexicon", "words.toml", "owner/on-the-hub", str(folder)):
        assert make_plan(project(folder, evaluation__classifier=known)).settings.classifier == known


# As jobs


def waiting(evaluation: Evaluation) -> list[str]:
    """A process that holds the lock until it is killed."""
    return [sys.executable, "-c", "import time; time.sleep(600)"]


def kill(evaluation: Evaluation) -> None:
    pid = lock.holder_pid(evaluation)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not lock.is_held(evaluation))


def test_one_that_goes_on_is_running_and_can_be_stopped(folder: Path) -> None:
    opened = project(folder)
    evaluation = jobs.start(opened, make_plan(opened), argv=waiting)
    assert read_status(evaluation).state is State.RUNNING
    assert read_status(evaluation).phase == "starting"
    with pytest.raises(WorkbenchError, match="going on"):
        jobs.resume(evaluation, argv=waiting)
    jobs.stop(evaluation)
    assert [name for name in os.listdir(evaluation.control) if name.endswith("-stop.json")]
    kill(evaluation)
    assert read_status(evaluation).state is State.KILLED
    with pytest.raises(WorkbenchError, match="not going on: it is killed"):
        jobs.stop(evaluation)


def test_a_resume_forgets_an_old_wish_to_stop(folder: Path) -> None:
    opened = project(folder)
    evaluation = jobs.start(opened, make_plan(opened), argv=lambda evaluation: ["true"])
    wait(lambda: not read_status(evaluation).going)
    (evaluation.control / "1-stop.json").write_text('{"v": 1, "name": "stop"}')
    jobs.resume(evaluation, argv=waiting)
    assert not os.listdir(evaluation.control)
    kill(evaluation)


def test_a_finished_one_is_not_resumed_unless_it_left_something_out(folder: Path) -> None:
    opened = project(folder)
    evaluation = jobs.start(opened, make_plan(opened), argv=lambda evaluation: ["true"])
    wait(lambda: not read_status(evaluation).going)
    events = EventWriter(evaluation.events)
    events.write("ended", state="finished", reason="", seconds=1.0)
    with pytest.raises(WorkbenchError, match="finished"):
        jobs.resume(evaluation)
    events.write("skipped", contestant=0, reason="the checkpoint is gone")
    events.write("ended", state="finished", reason="left out: base", seconds=1.0)
    assert read_status(evaluation).skipped == {0: "the checkpoint is gone"}
    jobs.resume(evaluation, argv=waiting)
    assert read_status(evaluation).skipped == {}
    kill(evaluation)


def test_evaluations_are_listed_newest_first_and_broken_ones_named(folder: Path) -> None:
    opened = project(folder)
    made = [jobs.start(opened, make_plan(opened), argv=lambda evaluation: ["true"]) for _ in range(3)]
    made[1].plan.write_text('{"v": 1}')
    (folder / "evaluations" / "no plan yet").mkdir()
    listed = jobs.list_evaluations(folder)
    assert {each.evaluation.id for each in listed} == {each.id for each in made}
    assert len({each.id for each in made}) == 3
    (broken,) = [each for each in listed if each.plan is None]
    assert "not a plan" in broken.problem and made[1].id in broken.problem
    whole = [each.plan.created for each in listed if each.plan]
    assert whole == sorted(whole, reverse=True)
    assert jobs.list_evaluations(folder / "nowhere") == []


def test_a_project_that_was_moved_takes_its_evaluations_along(folder: Path) -> None:
    make_run(folder, 10)
    opened = project(folder)
    evaluation = jobs.start(opened, make_plan(opened), argv=lambda evaluation: ["true"])
    wait(lambda: not read_status(evaluation).going)
    moved = folder.rename(folder.with_name("elsewhere"))
    (listed,) = jobs.list_evaluations(moved)
    assert listed.plan is not None
    target = listed.plan.contestants[1].target
    assert target.project_folder == moved
    assert target.weights is not None and target.weights.is_dir()


def test_a_gpu_without_room_refuses_with_figures_and_names_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Capacity("cuda:0", "a card", 8 * 10**9, 10**8)
    monkeypatch.setattr(room, "capacity", lambda: full)
    opened = project(folder)
    with pytest.raises(WorkbenchError, match=r"0\.1 of 8\.0 GB of the GPU are free.*--cpu"):
        jobs.start(opened, make_plan(opened), argv=waiting)
    assert jobs.list_evaluations(folder) == []
    evaluation = jobs.start(opened, make_plan(opened, device="cpu"), argv=lambda evaluation: ["true"])
    assert jobs.read_plan(evaluation).device == "cpu"


def test_a_training_beside_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(folder, 10)
    monkeypatch.setattr(room, "is_held", lambda other: other == run)
    opened = project(folder)
    evaluation = jobs.start(opened, make_plan(opened), argv=lambda evaluation: ["true"])
    assert any(f"while {run.id} trains" in warning for warning in read_status(evaluation).warnings)
