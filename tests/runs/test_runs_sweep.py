"""Sweeps: which settings are tried, under which names, who wins, who goes on."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject, open_project
from workbench.runs.launch import Argv
from workbench.runs.naming import LONGEST, about
from workbench.runs.queue.entries import Queue, Turn, enqueue, read_queue, remove
from workbench.runs.queue.worker import Worker
from workbench.runs.sweep import halving
from workbench.runs.sweep.choices import (
    Span,
    draw,
    grid,
    moves_validation,
    parse_axes,
    parse_axis,
    plan,
    projects,
)
from workbench.runs.sweep.store import (
    Halving,
    changed_meanwhile,
    enqueue_sweep,
    find_sweep,
    list_sweeps,
    results,
)

MakeTrainer = Callable[..., Argv]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("training.rank=8,16", [8, 16]),
        ("training.learning_rate=1e-4, 3e-4", [1e-4, 3e-4]),
        ("training.lr_scheduler_type=linear,cosine", ["linear", "cosine"]),
        ("training.use_rslora=true,false", [True, False]),
        ("training.rank=8,8,16", [8, 16]),
        ("prompt.template=templates/a.jinja,chatml", ["templates/a.jinja", "chatml"]),
        ('training.target_modules=[["q_proj"], ["q_proj", "v_proj"]]', [["q_proj"], ["q_proj", "v_proj"]]),
        ("training.rank=8..64", Span(8, 64, whole=True)),
        ("training.learning_rate=1e-5..1e-3", Span(1e-5, 1e-3, whole=False)),
    ],
)
def test_values_are_read_as_people_write_them(text: str, values: Any) -> None:
    assert parse_axis(text) == (text.partition("=")[0], values)


@pytest.mark.parametrize("text", ["training.rank", "=1,2", "training.rank=", "a=3..1", "a=-1..1", "a=0..5"])
def test_what_is_no_list_of_values_is_refused(text: str) -> None:
    with pytest.raises(WorkbenchError):
        parse_axis(text)


def test_several_settings_stand_in_one_line(project: OpenProject) -> None:
    line = ' training.rank=8, 16  training.target_modules=[["q_proj"], ["a b"]] training.alpha = 8..64 '
    assert parse_axes(line) == {
        "training.rank": [8, 16],
        "training.target_modules": [["q_proj"], ["a b"]],
        "training.alpha": Span(8, 64, whole=True),
    }
    made = plan(project, parse_axes("training.rank=4,8 data.seed=1,2"))
    assert made.keys == ["training.rank", "data.seed"] and made.moves_validation == ["data.seed"]
    assert [each.settings.training.rank for each in made.projects] == [4, 4, 8, 8]
    assert len(plan(project, parse_axes("training.rank=4..64"), draws=3).projects) == 3
    for wrong in ("", "training.rank", "training.rank=4 8=", "training.rank=4..8"):
        with pytest.raises(WorkbenchError):
            plan(project, parse_axes(wrong))


def test_a_grid_has_every_combination_once() -> None:
    assert grid({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    with pytest.raises(WorkbenchError, match="range"):
        grid({"a": Span(1, 2, whole=False)})
    with pytest.raises(WorkbenchError, match="10,000 runs"):
        grid({"a": range(100), "b": range(100)})


@given(st.integers(1, 40), st.integers(0, 5), st.lists(st.integers(), min_size=1, max_size=5, unique=True))
def test_draws_differ_stay_in_range_and_repeat_by_seed(runs: int, seed: int, values: list[int]) -> None:
    axes = {"lr": Span(1e-5, 1e-3, whole=False), "rank": Span(4, 64, whole=True), "v": values}
    drawn = draw(axes, runs, seed)
    assert len(drawn) == runs and drawn == draw(axes, runs, seed)
    assert all(1e-5 <= one["lr"] <= 1e-3 and 4 <= one["rank"] <= 64 and one["v"] in values for one in drawn)
    assert isinstance(drawn[0]["rank"], int)
    assert len({tuple(one.items()) for one in drawn}) == runs


def test_fewer_combinations_than_runs_are_all_drawn_once() -> None:
    assert sorted(one["a"] for one in draw({"a": [1, 2, 3]}, 10, 0)) == [1, 2, 3]


def test_names_tell_what_differs(project: OpenProject) -> None:
    def name(**overrides: Any) -> str:
        laid = {key.replace("__", "."): value for key, value in overrides.items()}
        return about(open_project(project.folder, None, laid))

    assert name() == "embedded-lora-r16"
    assert name(training__learning_rate=5e-4, training__alpha=8) == "embedded-lora-r16-lr5e-4-a8"
    tuned = {"training__use_rslora": True, "prompt__template": "emotion-out-inst-uni"}
    assert name(**tuned, training__num_train_epochs=2.0) == (
        "embedded-emotion-out-inst-uni-rslora-r16-epoch2"
    )
    assert name(training__method="full", training__lr_scheduler_type="linear") == "embedded-full-linear"
    assert name(training__eval_steps=3) == name()
    long = name(prompt__system="ü/ " * 200)
    assert len(long) <= LONGEST and "/" not in long and " " not in long


def test_every_choice_is_checked_before_the_first_is_queued(project: OpenProject) -> None:
    with pytest.raises(WorkbenchError, match="rank"):
        projects(project, grid({"training.rank": [8, 0]}))
    assert moves_validation({"training.rank": [1], "data.seed": [1], "prompt.template": ["x"]}) == [
        "data.seed",
        "prompt.template",
    ]


def sweep(project: OpenProject, ranks: list[int], **options: Any) -> None:
    axes = {"training.rank": ranks}
    enqueue_sweep(projects(open_project(project.folder, "short"), grid(axes)), list(axes), **options)


def test_the_best_comes_first_and_what_failed_last(project: OpenProject, trainer: MakeTrainer) -> None:
    sweep(project, [2, 8, 4, 1])
    queue = Queue(project.folder)
    before = results(queue, find_sweep(queue))
    assert [each.choice["training.rank"] for each in before] == [2, 8, 4, 1]
    assert all(math.isnan(each.loss) for each in before)
    Worker(queue, trainer(steps=3, judge=True, fail_rank=1), poll_seconds=0.005).work()
    found = results(queue, find_sweep(queue))
    assert [each.choice["training.rank"] for each in found] == [8, 4, 2, 1]
    assert [each.loss for each in found] == [1 / 8, 1 / 4, 1 / 2, 1]
    assert found[-1].place.turn is Turn.FAILED


def test_the_best_third_goes_on_until_one_is_left(project: OpenProject, trainer: MakeTrainer) -> None:
    sweep(project, [1, 2, 3, 4, 5], halving=Halving(steps=10))
    queue = Queue(project.folder)
    Worker(queue, trainer(steps=3, judge=True), poll_seconds=0.005).work()
    entries = [place.entry for place in read_queue(queue)]
    rungs = [(entry.rung, entry.overrides["training.rank"]) for entry in entries]
    assert rungs == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 5), (1, 4), (2, 5)]
    assert [entry.overrides.get("training.max_steps") for entry in entries[5:]] == [30, 30, 90]


def test_a_rung_that_a_killed_worker_left_short_is_made_whole(
    project: OpenProject, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in = []

    def killed_at_the_second(*args: Any, **options: Any) -> Any:
        if len(put_in) == 1:
            raise KeyboardInterrupt
        put_in.append(enqueue(*args, **options))
        return put_in[-1]

    sweep(project, [1, 2, 3, 4, 5, 6], halving=Halving(steps=10, factor=2))
    queue = Queue(project.folder)
    with monkeypatch.context() as patched:
        patched.setattr(halving, "enqueue", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            Worker(queue, trainer(steps=3, judge=True), poll_seconds=0.005).work()
    assert rungs(queue)[6:] == [(1, 6)]
    Worker(queue, trainer(steps=3, judge=True), poll_seconds=0.005).work()
    assert rungs(queue)[6:] == [(1, 6), (1, 5), (1, 4), (2, 6), (2, 5), (3, 6)]
    assert find_sweep(queue).rungs == 3
    assert not halving.go_on(queue, read_queue(queue)), "all is there"


def test_what_was_taken_out_of_a_rung_does_not_come_back(project: OpenProject, trainer: MakeTrainer) -> None:
    sweep(project, [1, 2, 3, 4], halving=Halving(steps=10, factor=2))
    queue = Queue(project.folder)
    worker = Worker(queue, trainer(steps=3, judge=True), poll_seconds=0.005)
    for place in read_queue(queue):
        worker._train(place)
    assert halving.go_on(queue, read_queue(queue)) and rungs(queue)[4:] == [(1, 4), (1, 3)]
    remove(queue, 6)
    worker.work()
    assert rungs(queue)[4:] == [(1, 4)]


def rungs(queue: Queue) -> list[tuple[int, int]]:
    entries = [place.entry for place in read_queue(queue)]
    return [(entry.rung, entry.overrides["training.rank"]) for entry in entries]


def test_a_sweep_needs_rows_to_judge_by(project: OpenProject) -> None:
    blind = open_project(project.folder, None, {"data.validation": 0.0})
    with pytest.raises(WorkbenchError, match="no validation rows"):
        enqueue_sweep([blind], ["training.rank"])
    with pytest.raises(WorkbenchError, match="no sweep yet"):
        find_sweep(Queue(project.folder))


def test_what_was_changed_while_a_sweep_ran_is_told(project: OpenProject, trainer: MakeTrainer) -> None:
    sweep(project, [2, 4], halving=Halving(steps=2))
    queue, file = Queue(project.folder), project.folder / "project.toml"
    worker = Worker(queue, trainer(steps=3, judge=True), poll_seconds=0.005)
    worker._train(read_queue(queue)[0])
    assert changed_meanwhile(find_sweep(queue), results(queue, find_sweep(queue))) == []
    file.write_text(f"{file.read_text()}[training]\nalpha = 3\n")
    rows = project.folder / "train.jsonl"
    rows.write_text(rows.read_text().replace("question 1", "question one"))
    worker.work()
    found = results(queue, find_sweep(queue))
    assert [each.place.turn for each in found] == [Turn.FINISHED] * 3
    assert set(changed_meanwhile(find_sweep(queue), found)) == {"training.alpha", "fingerprint of data"}


def test_two_sweeps_of_one_second_are_two(project: OpenProject) -> None:
    for ranks in ([1, 2], [3, 4]):
        sweep(project, ranks)
    queue = Queue(project.folder)
    listed = list_sweeps(queue)
    assert len({each.id for each in listed}) == 2
    assert {entry.choice["training.rank"] for entry in results(queue, find_sweep(queue))} == {3, 4}
