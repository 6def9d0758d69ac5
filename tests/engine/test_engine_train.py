"""Whole trainings in this process, on a real tiny model: resume, faults, checkpoints, refusals."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from workbench.engine import trainer as trainer_module
from workbench.engine.commands import Commands, StopNow
from workbench.engine.meter import Reading
from workbench.engine.scoring import Scores
from workbench.engine.train import Ending, train
from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints, verify
from workbench.runs.control import send
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run, create_run

MakeProject = Callable[..., Path]
TEMPLATE = "the run's template"


def new_run(folder: Path) -> Run:
    return create_run(open_project(folder), ["test"], {}, TEMPLATE)


def go(run: Run, commands: Commands | None = None) -> Ending:
    events = EventWriter(run.events)
    return train(run, events, commands or Commands(run, events))


def events(run: Run, kind: str) -> list[dict[str, Any]]:
    return [event for event in EventTail(run.events).read(max_records=100_000) if event["kind"] == kind]


def column(run: Run, name: str, kind: str = "step") -> list[Any]:
    return [event[name] for event in events(run, kind)]


class StopAfter(Commands):
    """Somebody asks for a stop while step `step` runs."""

    def __init__(self, run: Run, step: int) -> None:
        super().__init__(run, EventWriter(run.events))
        self._step = step

    def poll(self) -> None:
        super().poll()
        self.stop = self.stop or len(events(self._run, "step")) >= self._step - 1


def test_a_finished_run_has_its_events_checkpoints_and_counts(
    make_project: MakeProject, tiny_base: Path
) -> None:
    run = new_run(make_project(eval_steps=5, save_steps=4, learning_rate=1e-2, data={"validation": 4}))
    assert go(run) == Ending("finished", 12)
    started = events(run, "started")[0]
    assert (started["total_steps"], started["attempt"], started["resumed_from"]) == (12, 1, None)
    assert (started["train_rows"], started["validation_rows"]) == (36, 4)
    assert len(started["validation_fingerprint"]) == 64
    assert 0 < started["trainable_parameters"] < started["parameters"]
    steps = events(run, "step")
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert steps[-1]["elapsed_examples"] == 12 * 4
    assert steps[-1]["elapsed_tokens"] > steps[-1]["elapsed_supervised_tokens"] > 0
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert [event["step"] for event in events(run, "evaluated")] == [5, 10, 12]
    final = {checkpoint.step: checkpoint for checkpoint in list_checkpoints(run)}[12]
    verify(final)
    assert {file.name for file in final.path.iterdir()} >= {
        "adapter_model.safetensors",
        "adapter_config.json",
        "chat_template.jinja",
        "manifest.json",
        "optimizer.pt",
        "progress.json",
        "rng_state.pth",
        "scheduler.pt",
        "tokenizer.json",
        "trainer_state.json",
    }
    assert (final.path / "chat_template.jinja").read_text() == TEMPLATE
    assert (final.path / "tokenizer.json").read_bytes() == (tiny_base / "tokenizer.json").read_bytes()


def test_a_run_killed_after_its_last_checkpoint_takes_no_step_more(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=4))
    assert go(run) == go(run) == Ending("finished", 4)
    assert column(run, "step") == [1, 2, 3, 4]
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [4]


def test_laying_examples_end_to_end_changes_no_loss(make_project: MakeProject) -> None:
    losses = {}
    for packing in ("batch", "none"):
        run = new_run(make_project(packing=packing, eval_steps=6))
        go(run)
        losses[packing] = column(run, "loss") + column(run, "validation_loss", "evaluated")
        accuracies = column(run, "sequence_accuracy") + column(run, "token_accuracy")
        losses[packing] += accuracies
    assert losses["batch"] == pytest.approx(losses["none"], abs=1e-5)


def test_accumulated_micro_batches_are_one_batch(make_project: MakeProject) -> None:
    losses = []
    for batch, accumulation in ((4, 1), (2, 2), (1, 4)):
        run = new_run(
            make_project(
                per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation, max_steps=6
            )
        )
        go(run)
        losses.append(column(run, "loss"))
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert losses[2] == pytest.approx(losses[0], abs=1e-5)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_recomputed_activations_change_no_loss(make_project: MakeProject, method: str) -> None:
    losses = []
    for recompute in (False, True):
        run = new_run(make_project(gradient_checkpointing=recompute, method=method, max_steps=4))
        go(run)
        losses.append(column(run, "loss"))
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("packing", ["batch", "bfd"])
def test_resume_is_bit_for_bit_what_would_have_been(
    make_project: MakeProject, method: str, packing: str
) -> None:
    folder = make_project(method=method, packing=packing, dropout=0.2, learning_rate=1e-3, eval_steps=4)
    whole, parts = new_run(folder), new_run(folder)
    go(whole)
    assert go(parts, StopAfter(parts, 6)) == Ending("stopped", 6)
    torch.manual_seed(99)
    assert go(parts) == Ending("finished", 12)
    assert events(parts, "started")[1]["resumed_from"] == 6
    for name in ("step", "loss", "grad_norm", "learning_rate", "epoch", "elapsed_tokens", "elapsed_examples"):
        assert column(parts, name) == column(whole, name), name
    assert column(parts, "validation_loss", "evaluated") == column(whole, "validation_loss", "evaluated")


def test_a_loss_that_is_not_finite_stops_before_the_weights_move(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(method="full", max_steps=8, data={"validation": 0})
    reference = new_run(folder)
    go(reference, StopAfter(reference, 4))

    calls = 0
    real = trainer_module.score

    def broken_at_the_fifth(*arguments: Any) -> Scores:
        nonlocal calls
        calls += 1
        scores = real(*arguments)
        factor = float("inf") if calls == 6 else 1.0  # the first one is the probe
        return Scores(
            scores.log_probs * factor, scores.correct, scores.trained, scores.example, scores.examples
        )

    monkeypatch.setattr(trainer_module, "score", broken_at_the_fifth)
    run = new_run(folder)
    with pytest.raises(WorkbenchError, match="loss of step 5.*those of step 4.*learning_rate"):
        go(run)
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [4]
    found = load_file(run.checkpoints / "step-4" / "model.safetensors")
    for name, weight in load_file(reference.checkpoints / "step-4" / "model.safetensors").items():
        assert torch.equal(found[name], weight), name


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite_stop_before_the_weights_move(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """The loss is a number, one gradient of the second micro-batch of step 3 is not."""
    folder = make_project(gradient_accumulation_steps=2, max_steps=6, data={"validation": 0})
    reference = new_run(folder)
    go(reference, StopAfter(reference, 2))

    calls = 0
    real = trainer_module.score

    def broken(model: torch.nn.Module, inputs: Any) -> Scores:
        nonlocal calls
        calls += 1
        scores = real(model, inputs)
        if calls == 6:
            scores.log_probs.register_hook(lambda gradient: gradient * value)
        return scores

    monkeypatch.setattr(trainer_module, "score", broken)
    run = new_run(folder)
    with pytest.raises(WorkbenchError, match="the gradient norm of step 3.*those of step 2"):
        go(run)
    assert [checkpoint.step for checkpoint in list_checkpoints(run)] == [2]
    found = load_file(run.checkpoints / "step-2" / "adapter_model.safetensors")
    for name, weight in load_file(reference.checkpoints / "step-2" / "adapter_model.safetensors").items():
        assert torch.equal(found[name], weight), name


def test_a_full_disk_costs_a_checkpoint_and_not_the_run(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(save_steps=4, data={"validation": 0}))
    real = trainer_module.Trainer._save_optimizer_and_scheduler

    def full_at_step_8(self: Any, folder: str) -> None:
        if self.state.global_step == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, folder)

    monkeypatch.setattr(trainer_module.Trainer, "_save_optimizer_and_scheduler", full_at_step_8)
    assert go(run) == Ending("finished", 12)
    assert [checkpoint.step for checkpoint in sorted(list_checkpoints(run), key=lambda c: c.step)] == [4, 12]
    assert "step 8 not written: the disk is full" in column(run, "message", "warning")[0]
    assert not [path for path in run.checkpoints.iterdir() if path.name.startswith(".staging")]


def test_a_last_checkpoint_that_cannot_be_written_is_no_success(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(max_steps=2, data={"validation": 0}))

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trainer_module.Trainer, "_save_optimizer_and_scheduler", full)
    with pytest.raises(WorkbenchError, match="step 2, the last one, could not be written"):
        go(run)


def test_the_best_checkpoint_outlives_newer_ones(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(eval_steps=2, save_steps=1, save_total_limit=2, max_steps=8))
    losses = iter([2.0, 1.0, 3.0, 4.0])
    monkeypatch.setattr(
        trainer_module.Trainer, "_validate", lambda self: Reading(next(losses), 0, 1, 1, 0, 1, 1)
    )
    go(run)
    assert column(run, "validation_loss", "evaluated") == [2.0, 1.0, 3.0, 4.0]
    assert sorted(checkpoint.step for checkpoint in list_checkpoints(run)) == [4, 8]
    assert [event["step"] for event in events(run, "checkpoint") if event["best"]] == [2, 4]


def test_checkpoint_now_is_acknowledged_and_written(make_project: MakeProject) -> None:
    run = new_run(make_project(max_steps=3, data={"validation": 0}))
    from workbench.runs.lock import hold

    held = hold(run)
    send(run, "checkpoint")
    go(run)
    assert [(event["name"], event["acknowledged"]) for event in events(run, "command")] == [
        ("checkpoint", True)
    ]
    assert column(run, "step", "checkpoint") == [1, 3]
    assert held is not None


def test_stop_now_ends_without_a_checkpoint(make_project: MakeProject) -> None:
    run = new_run(make_project(data={"validation": 0}))

    class Impatient(StopAfter):
        def poll(self) -> None:
            super().poll()
            if self.stop:
                raise StopNow("asked to stop at once")

    with pytest.raises(StopNow):
        go(run, Impatient(run, 3))
    assert list_checkpoints(run) == []


def test_examples_longer_than_the_model_are_named(make_project: MakeProject) -> None:
    folder = make_project(data={"max_tokens": 1024})
    row = {"instruction": "one " * 200, "output": "two"}
    with (folder / "train.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(WorkbenchError, match="max_tokens: 1 of 41 examples are longer than the 128 tokens"):
        go(new_run(folder))


@pytest.mark.parametrize("quantization", ["none", "nf4", "int8"])
def test_a_validation_changes_nothing_in_training(make_project: MakeProject, quantization: str) -> None:
    curves = []
    for eval_steps in (0, 1):
        run = new_run(make_project(model={"quantization": quantization}, max_steps=6, eval_steps=eval_steps))
        assert go(run) == Ending("finished", 6)
        curves.append((column(run, "loss"), column(run, "grad_norm")))
    assert curves[0] == curves[1]
    assert curves[0][0][-1] < curves[0][0][0]
    adapter = load_file(run.checkpoints / "step-6" / "adapter_model.safetensors")
    assert {weight.dtype for weight in adapter.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("training", "model", "words"),
    [
        ({"target_modules": ["nonsense"]}, {}, "q_proj"),
        ({"target_modules": ["lm_head"]}, {}, "no adapter on lm_head"),
        ({"precision": "fp16"}, {}, "fp16 needs a GPU"),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="refusals of a box without a GPU")
def test_what_cannot_work_is_refused_by_name(
    make_project: MakeProject, training: dict[str, Any], model: dict[str, Any], words: str
) -> None:
    with pytest.raises(WorkbenchError, match=words):
        go(new_run(make_project(**training, model=model)))


def test_a_rank_beyond_the_layers_is_told(make_project: MakeProject) -> None:
    run = new_run(make_project(rank=40, max_steps=1, data={"validation": 0}))
    go(run)
    (message,) = column(run, "message", "warning")
    assert "training.rank = 40 is more than " in message and "_proj can use, which is 32 wide" in message


def test_a_project_that_moved_trains_on_the_base_model_it_took_along(
    make_project: MakeProject, tiny_base: Path, tmp_path: Path
) -> None:
    folder = make_project(model={"base": "base"}, max_steps=2)
    shutil.copytree(tiny_base, folder / "base")
    run = new_run(folder)
    moved = folder.rename(tmp_path / "moved")
    assert go(Run(moved / "runs" / run.id)) == Ending("finished", 2)
