"""Memory that runs out: the step is done anew in smaller parts, and nothing but the peak is different."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor
from trainings import column, events, go, new_run
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from workbench.engine import models
from workbench.engine import trainer as trainer_module
from workbench.engine.commands import Commands
from workbench.engine.micro_batches import count_examples, cut
from workbench.engine.reasons import OutOfMemory
from workbench.engine.scoring import Scores
from workbench.engine.train import Ending
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.forecast.oom import oom_card

pytestmark = pytest.mark.slow

MakeProject = Callable[..., Path]
SCORE = trainer_module.score
SAME = ("step", "elapsed_tokens", "elapsed_supervised_tokens", "elapsed_examples", "epoch", "learning_rate")
CLOSE = ("loss", "grad_norm", "token_accuracy", "sequence_accuracy")


class FailsBackward(torch.autograd.Function):
    """Passes on what it gets, and has no memory for the gradient."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


class SmallMemory:
    """In place of `score`: from its call number `start` on, no more than `tokens` at once have room."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, tokens: int, *, backward: bool, start: int = 1
    ) -> None:
        self.tokens, self.backward, self.start = tokens, backward, start
        self.calls = 0
        monkeypatch.setattr(trainer_module, "score", self)

    def __call__(self, model: Any, inputs: dict[str, Any]) -> Scores:
        self.calls += 1
        if self.calls < self.start or inputs["input_ids"].numel() <= self.tokens:
            return SCORE(model, inputs)
        if not self.backward:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")
        scores = SCORE(model, inputs)
        failing = FailsBackward.apply(scores.log_probs)
        return Scores(failing, scores.correct, scores.trained, scores.example, scores.examples)


def compare(found: Run, expected: Run) -> None:
    for name in SAME:
        assert column(found, name) == column(expected, name), name
    for name in CLOSE:
        assert column(found, name) == pytest.approx(column(expected, name), rel=1e-3, abs=1e-5), name


@st.composite
def batches(draw: Any) -> tuple[list[list[int]], bool, int]:
    rows = draw(st.lists(st.integers(1, 9), min_size=1, max_size=9))
    return [list(range(1, 1 + length)) for length in rows], draw(st.booleans()), draw(st.integers(1, 12))


@given(batches())
@settings(max_examples=150, deadline=None)
def test_a_part_is_what_the_collator_makes_of_its_examples(batch: tuple[list[list[int]], bool, int]) -> None:
    rows, end_to_end, parts = batch
    collator = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=end_to_end)
    found = cut(collator([{"input_ids": row} for row in rows]), parts)
    size = -(-len(rows) // parts)
    assert len(found) <= parts
    for start, part in zip(range(0, len(rows), size), found, strict=True):
        expected = collator([{"input_ids": row} for row in rows[start : start + size]])
        assert count_examples(part) == len(rows[start : start + size])
        assert part.keys() == expected.keys()
        for name, value in expected.items():
            assert torch.equal(torch.as_tensor(part[name]), torch.as_tensor(value)), name


@pytest.mark.parametrize(
    ("packing", "tokens", "backward"),
    [("batch", 100, False), ("batch", 100, True), ("none", 100, False), ("bfd", 220, True)],
)
def test_a_halved_run_is_the_run_of_half_the_micro_batch(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, packing: str, tokens: int, backward: bool
) -> None:
    sizes = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    common: dict[str, Any] = {"max_steps": 4, "packing": packing, "learning_rate": 1e-3}
    whole = new_run(make_project(**common, **sizes))
    go(whole)
    # From the second micro-batch of the third step on; the first call is the probe
    SmallMemory(monkeypatch, tokens, backward=backward, start=7)
    run = new_run(make_project(**common, **sizes))
    assert go(run) == Ending("finished", 4)
    told = events(run, "oom")
    assert told and {event["answer"] for event in told} == {"halved"}
    assert (told[0]["step"], told[0]["micro_batch"], told[0]["accumulation"]) == (
        3 if packing == "bfd" else 2,
        4,
        2,
    )
    assert told[0]["tokens"] > tokens and 0 < told[0]["peak_bytes"] < told[0]["capacity_bytes"]
    compare(run, whole)
    validation = column(whole, "validation_loss", "evaluated")
    assert column(run, "validation_loss", "evaluated") == pytest.approx(validation, abs=1e-4)
    if packing == "batch":
        assert len(told) == 1
        monkeypatch.undo()
        halves = new_run(make_project(**common, per_device_train_batch_size=2, gradient_accumulation_steps=4))
        go(halves)
        compare(run, halves)


def test_the_probe_meets_what_a_night_would_have_met(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    SmallMemory(monkeypatch, 110, backward=True)
    run = new_run(make_project(max_steps=2))
    go(run)
    kinds = [event["kind"] for event in events(run, "oom", "memory", "started", "step")]
    assert kinds == ["oom", "started", "memory", "memory", "step", "step", "memory"]
    oom = events(run, "oom")[0]
    assert (oom["step"], oom["micro_batch"], oom["accumulation"]) == (0, 4, 1)
    assert column(run, "elapsed_examples") == [4, 8]
    assert (
        "micro-batch 2, not 4, and accumulation 2, not 1; the effective batch stays"
        in capsys.readouterr().err
    )
    memory = events(run, "memory")
    assert {event["device"] for event in memory} <= {"host", "cuda:0"}
    assert all(0 < event["peak_bytes"] < event["capacity_bytes"] for event in memory)


@pytest.mark.parametrize(
    ("quantization", "more"),
    [
        ("none", {"packing": "none"}),
        ("none", {"packing": "bfd", "init_lora_weights": "pissa", "rank": 4}),
        ("nf4", {"packing": "batch", "gradient_checkpointing": True}),
    ],
)
def test_the_probe_leaves_nothing_behind(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, quantization: str, more: dict[str, Any]
) -> None:
    noisy: dict[str, Any] = {"neftune_noise_alpha": 5.0, "dropout": 0.2, **more}
    model = {"quantization": quantization}
    folder = make_project(None, model, max_steps=4, gradient_accumulation_steps=2, eval_steps=2, **noisy)
    with_probe, without = new_run(folder), new_run(folder)
    go(with_probe)
    monkeypatch.setattr(trainer_module.Trainer, "probe", lambda self: None)
    go(without)
    for name in ("loss", "grad_norm", *SAME):
        assert column(with_probe, name) == column(without, name), name
    loaded = [
        load_file(run.checkpoints / "step-4" / "adapter_model.safetensors") for run in (with_probe, without)
    ]
    assert all(torch.equal(weight, loaded[1][name]) for name, weight in loaded[0].items())


def test_a_resumed_run_keeps_its_parts(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(max_steps=5, dropout=0.2, learning_rate=1e-3, data={"validation": 0})
    SmallMemory(monkeypatch, 110, backward=False, start=4)
    whole = new_run(folder)
    go(whole)
    SmallMemory(monkeypatch, 110, backward=False, start=4)
    parts = new_run(folder)

    class StopAtFour(Commands):
        def poll(self) -> None:
            super().poll()
            self.stop = len(events(parts, "step")) >= 3

    assert go(parts, StopAtFour(parts, EventWriter(parts.events))) == Ending("stopped", 4)
    SmallMemory(monkeypatch, 110, backward=False)
    assert go(parts) == Ending("finished", 5)
    assert len(events(parts, "oom")) == len(events(whole, "oom")) == 1
    for name in ("loss", "grad_norm", *SAME):
        assert column(parts, name) == column(whole, name), name


@pytest.mark.parametrize("backward", [False, True])
def test_one_example_too_large_ends_the_run_with_the_weights_before(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, backward: bool
) -> None:
    folder = make_project(max_steps=5, dropout=0.2, learning_rate=1e-3, data={"validation": 0})
    whole = new_run(folder)
    go(whole)
    SmallMemory(monkeypatch, 8, backward=backward, start=5)
    run = new_run(folder)
    with pytest.raises(
        OutOfMemory, match="after step 3.*one example by itself; the weights are those of step 3"
    ):
        go(run)
    assert [event["answer"] for event in events(run, "oom")] == ["halved", "halved", "none"]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [3]
    monkeypatch.undo()
    # It goes on from there as if nothing had been, but for the parts, in which dropout draws otherwise
    assert go(run) == Ending("finished", 5)
    assert column(run, "loss")[:3] == column(whole, "loss")[:3]
    assert column(run, "elapsed_examples") == column(whole, "elapsed_examples")


def test_memory_that_runs_out_in_validation_is_halved_as_well(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    common: dict[str, Any] = {"max_steps": 2, "eval_steps": 1, "data": {"validation": 8}}
    whole = new_run(make_project(**common))
    go(whole)

    def no_room(model: Any, inputs: dict[str, Any]) -> Scores:
        if not torch.is_grad_enabled() and count_examples(inputs) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return SCORE(model, inputs)

    monkeypatch.setattr(trainer_module, "score", no_room)
    run = new_run(make_project(**common))
    assert go(run) == Ending("finished", 2)
    assert [event["step"] for event in events(run, "oom")] == [1, 1]
    found = column(run, "validation_loss", "evaluated")
    assert found == pytest.approx(column(whole, "validation_loss", "evaluated"), abs=1e-4)
    assert column(run, "sequence_accuracy", "evaluated") == column(whole, "sequence_accuracy", "evaluated")


def test_an_optimizer_without_room_is_told(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.optim.AdamW, "step", no_room)
    run = new_run(make_project(max_steps=2))
    with pytest.raises(torch.OutOfMemoryError):
        go(run)
    assert [(event["answer"], event["tokens"]) for event in events(run, "oom")] == [("none", 0)]
    assert list_checkpoints(run) == []


def test_one_validation_row_too_large_is_told_as_one(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer_module.Trainer, "_score", no_room)
    run = new_run(make_project(max_steps=4, eval_steps=2, data={"validation": 1}))
    with pytest.raises(OutOfMemory, match="one example by itself"):
        go(run)
    assert [(event["micro_batch"], event["accumulation"]) for event in events(run, "oom")] == [(1, 4)]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [2]


def test_a_model_without_room_is_told(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(models, "load_base_model", no_room)
    run = new_run(make_project(max_steps=2))
    with pytest.raises(torch.OutOfMemoryError):
        go(run)
    assert [(event["step"], event["answer"], event["tokens"]) for event in events(run, "oom")] == [
        (0, "none", 0)
    ]
    card = oom_card(run)
    assert card is not None and card.memory.device == "host"


LIMITED = """
import resource, sys
from pathlib import Path
import torch
from workbench.engine import trainer
from workbench.engine.commands import Commands
from workbench.engine.train import train
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run
from workbench.runs.forecast.oom import oom_card

real, room = trainer.Trainer.train, int(sys.argv[2])

def limited(self, *args, **kwargs):
    used = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmData"))
    limit = int(used.split()[1]) * 1024 + room
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return real(self, *args, **kwargs)

trainer.Trainer.train = limited
run = Run(Path(sys.argv[1]))
events = EventWriter(run.events)
train(run, events, Commands(run, events))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a limit of Linux")
def test_memory_that_truly_runs_out(make_project: MakeProject) -> None:
    common: dict[str, Any] = {
        "max_steps": 2,
        "method": "full",
        "data": {"validation": 0},
        "learning_rate": 1e-3,
    }
    folder = make_project(**common, per_device_train_batch_size=32)
    row = {"instruction": "what is the capital of norway", "output": " ".join(["oslo paris"] * 20)}
    (folder / "train.jsonl").write_text((json.dumps(row) + "\n") * 64)
    whole, run = new_run(folder), new_run(folder)
    go(whole)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(run.folder), str(ROOM)],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = events(run, "oom")
    assert told and {event["answer"] for event in told} == {"halved"}
    assert re.search(r"out of memory after step 0, with \d+ tokens", done.stderr)
    compare(run, whole)


ROOM = 40_000_000
"""Bytes over what the process has before the first step; the whole micro-batch takes about twice that."""
