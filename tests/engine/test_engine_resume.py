"""Resume equals no interruption: killed, over epochs, with accumulated micro-batches, in each packing."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import exit_code

from workbench.engine.commands import Commands
from workbench.engine.train import Ending, train
from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, create_run

pytestmark = pytest.mark.slow

MakeProject = Callable[..., Path]


class DieAfter(Commands):
    """The process is killed while step `step` runs, long after its last checkpoint."""

    def __init__(self, run: Run, events: EventWriter, step: int) -> None:
        super().__init__(run, events)
        self._step = step

    def poll(self) -> None:
        super().poll()
        if len(column(self._run, "step")) >= self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def new_run(folder: Path) -> Run:
    return create_run(open_project(folder), ["test"], {}, "template")


def go(run: Run) -> Ending:
    events = EventWriter(run.events)
    return train(run, events, Commands(run, events))


def killed_at(run: Run, step: int) -> None:
    """Train in a fork until it is killed in the step after `step`."""

    def work() -> None:
        events = EventWriter(run.events)
        train(run, events, DieAfter(run, events, step))

    assert exit_code(work, run.console) == -signal.SIGKILL, run.console.read_text()


def column(run: Run, name: str, kind: str = "step") -> list[Any]:
    return [event[name] for event in all_events(run) if event["kind"] == kind]


def all_events(run: Run) -> list[dict[str, Any]]:
    return EventTail(run.events).read(max_records=100_000, max_seconds=60)


def as_taken_last(run: Run, name: str) -> dict[int, Any]:
    """A column of the step events by step; a step that was repeated counts as it was taken last."""
    return {event["step"]: event[name] for event in all_events(run) if event["kind"] == "step"}


@pytest.mark.parametrize(("method", "packing"), [("lora", "none"), ("lora", "bfd"), ("full", "batch")])
def test_killed_between_two_checkpoints_it_goes_on_bit_for_bit(
    make_project: MakeProject, method: str, packing: str
) -> None:
    """Three passes over the rows, two micro-batches a step; killed two steps after a checkpoint."""
    folder = make_project(
        method=method,
        packing=packing,
        dropout=0.2,
        max_steps=0,
        num_train_epochs=3,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=1e-3,
        save_steps=6,
        data={"max_tokens": 64},
    )
    whole, parts = new_run(folder), new_run(folder)
    go(whole)
    killed_at(parts, 8)
    assert [checkpoint.step for checkpoint in list_checkpoints(parts)] == [6]
    torch.manual_seed(99)
    assert go(parts).state == "finished"
    assert column(parts, "resumed_from", "started") == [None, 6]
    assert column(whole, "epoch")[-1] == 3 and 1 < as_taken_last(whole, "epoch")[6] < 2
    for name in ("loss", "grad_norm", "learning_rate", "epoch", "elapsed_tokens", "elapsed_examples"):
        assert as_taken_last(parts, name) == as_taken_last(whole, name), name


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(make_project: MakeProject) -> None:
    folder = make_project(dropout=0.1, max_steps=8, save_steps=2, data={"validation": 0})
    whole, parts = new_run(folder), new_run(folder)
    go(whole)
    killed_at(parts, 5)
    optimizer = list_checkpoints(parts)[-1].path / "optimizer.pt"
    content = bytearray(optimizer.read_bytes())
    content[len(content) // 2] ^= 1
    optimizer.write_bytes(content)
    assert go(parts) == Ending("finished", 8)
    (warning,) = column(parts, "message", "warning")
    assert "checkpoint of step 4 is damaged (optimizer.pt its content has changed" in warning
    assert "goes on from step 2" in warning
    assert as_taken_last(parts, "loss") == as_taken_last(whole, "loss")
    assert (parts.checkpoints / "step-4-damaged").is_dir()


def test_when_no_checkpoint_is_whole_nothing_is_trained(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=2, data={"validation": 0}))
    go(run)
    (last,) = list_checkpoints(run)
    os.truncate(last.path / "adapter_model.safetensors", 100)
    before = run.events.read_bytes()
    with pytest.raises(WorkbenchError, match="adapter_model.safetensors: has 100 bytes(.|\n)*begin anew"):
        go(run)
    assert run.events.read_bytes() == before and last.path.is_dir()
