"""Figures for others: only where it is asked for, and none of their failures is the run's."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trainings import column, events, go, new_run
from transformers import TrainerCallback

from workbench.engine import hand_offs
from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.runs import preflight
from workbench.runs.launch import start

MakeProject = Callable[..., Path]
WANDB = {"launch.report_to": ["wandb"]}


class Receiver(TrainerCallback):  # type: ignore[misc]
    """In the place of wandb's callback; `fails_at` names the event at which its server is away."""

    fails_at = ""
    heard: list[tuple[str, int, Any]] = []

    def _hear(self, event: str, state: Any, logs: Any = None) -> None:
        if event == self.fails_at:
            raise ConnectionError("the server is away\nfor a while")
        self.heard.append((event, state.global_step, logs))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._hear("on_train_begin", state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        self._hear("on_log", state, logs)

    def on_save(self, *args: Any, **kwargs: Any) -> None:
        pytest.fail("checkpoints are nobody else's")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._hear("on_train_end", state)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> type[Receiver]:
    monkeypatch.setattr(Receiver, "heard", [])
    monkeypatch.setattr(Receiver, "fails_at", "")
    monkeypatch.setattr(hand_offs.integrations, "WandbCallback", Receiver)
    return Receiver


def test_others_get_the_figures_of_the_events(make_project: MakeProject, receiver: type[Receiver]) -> None:
    run = new_run(make_project(max_steps=4, eval_steps=2, data={"validation": 8}), **WANDB)
    go(run)
    assert [receiver.heard[0][0], receiver.heard[-1][0]] == ["on_train_begin", "on_train_end"]
    logs = [(step, logs) for event, step, logs in receiver.heard if event == "on_log"]
    assert [(step, each["loss"]) for step, each in logs if "loss" in each] == list(
        zip(column(run, "step"), column(run, "loss"), strict=True)
    )
    losses = [each["eval_loss"] for _, each in logs if "eval_loss" in each]
    assert losses == column(run, "validation_loss", "evaluated") and len(losses) == 2


def test_nobody_gets_anything_unless_asked(make_project: MakeProject, receiver: type[Receiver]) -> None:
    go(new_run(make_project(max_steps=2)))
    assert receiver.heard == []


@pytest.mark.parametrize("event", ["on_train_begin", "on_log", "on_train_end"])
def test_a_server_that_is_away_costs_a_warning(
    make_project: MakeProject, receiver: type[Receiver], monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    monkeypatch.setattr(receiver, "fails_at", event)
    run = new_run(make_project(max_steps=3), **WANDB)
    assert go(run).state == "finished"
    (warning,) = [each["message"] for each in events(run, "warning") if "wandb" in each["message"]]
    assert warning == "wandb gets no figures from here on: ConnectionError: the server is away"


def test_a_package_that_is_missing_is_refused_before_a_run_is_made(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "find_spec", lambda name: None)
    project = open_project(make_project(), None, {"launch.report_to": ["tensorboard"]})
    with pytest.raises(WorkbenchError, match="tensorboard is not installed"):
        start(project)
    assert not (project.folder / "runs").exists()


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_reads_the_curves(make_project: MakeProject) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = new_run(make_project(max_steps=3), **{"launch.report_to": ["tensorboard"]})
    go(run)
    found = EventAccumulator(str(run.folder / "tensorboard")).Reload()
    points = [(each.step, each.value) for each in found.Scalars("train/loss")]
    assert points == [(step, pytest.approx(loss)) for step, loss in enumerate(column(run, "loss"), 1)]
