"""Levers of a run beside its adapter: optimisers, schedule, noise, seeds, arithmetic, early stopping."""

import json
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from test_engine_control import Asked
from test_engine_train import StopAfter, column, events, go, new_run

from workbench.chat.targets import targets
from workbench.engine import models, requirements
from workbench.engine import trainer as trainer_module
from workbench.engine.arguments import training_arguments
from workbench.engine.chat_model import load_model, model_folder
from workbench.engine.meter import Reading
from workbench.engine.noise import EmbeddingNoise
from workbench.engine.train import Ending
from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run

pytestmark = pytest.mark.slow

MakeProject = Callable[..., Path]
no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="what a box without a GPU refuses")


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(next(list_checkpoints(run)[-1].path.glob("*model.safetensors")))


def interrupted(folder: Path, steps: int = 6) -> tuple[Run, Run]:
    """One run in one piece, and the same in two."""
    whole, parts = new_run(folder), new_run(folder)
    go(whole)
    go(parts, StopAfter(parts, 3))
    torch.manual_seed(99)
    assert go(parts) == Ending("finished", steps)
    return whole, parts


@pytest.mark.parametrize(
    "optim",
    ["adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit", "adafactor", "sgd"],
)
def test_every_optimiser_learns_and_goes_on_bit_by_bit(make_project: MakeProject, optim: str) -> None:
    rate = 0.5 if optim == "sgd" else 2e-3
    folder = make_project(method="full", optim=optim, max_steps=6, learning_rate=rate, weight_decay=0.01)
    whole, parts = interrupted(folder)
    assert column(whole, "loss")[-1] < column(whole, "loss")[0]
    assert column(parts, "loss") == column(whole, "loss")
    assert column(parts, "grad_norm") == column(whole, "grad_norm")
    assert all(torch.equal(weights(parts)[name], weight) for name, weight in weights(whole).items())
    said = [message for message in column(whole, "message", "warning") if "nothing is paged" in message]
    assert len(said) == (optim.startswith("paged") and not torch.cuda.is_available())


def test_the_optimiser_gets_what_is_set(make_project: MakeProject, tmp_path: Path) -> None:
    folder = make_project(
        lr_scheduler_type="cosine_with_restarts",
        lr_restarts=3,
        adam_beta2=0.95,
        weight_decay=0.1,
        max_grad_norm=0.3,
        data_seed=7,
        optim="adamw_torch",
    )
    arguments = training_arguments(open_project(folder).settings, tmp_path, "batch")
    assert arguments.lr_scheduler_kwargs == {"num_cycles": 3}
    assert (arguments.adam_beta2, arguments.weight_decay, arguments.max_grad_norm) == (0.95, 0.1, 0.3)
    assert (arguments.seed, arguments.data_seed, arguments.optim) == (42, 7, "adamw_torch")


def test_the_cosine_begins_anew(make_project: MakeProject) -> None:
    run = new_run(
        make_project(lr_scheduler_type="cosine_with_restarts", lr_restarts=3, warmup_steps=0, max_steps=9)
    )
    go(run)
    rates = column(run, "learning_rate")
    assert [n for n in range(1, 9) if rates[n] > rates[n - 1]] == [3, 6]


def test_the_seed_of_rows_is_not_the_seed_of_the_adapter(make_project: MakeProject) -> None:
    orders, losses = {}, {}
    for seeds in ((42, 42), (1, 42), (42, 1)):
        run = new_run(make_project(seed=seeds[0], data_seed=seeds[1], max_steps=4, dropout=0.2))
        go(run)
        orders[seeds], losses[seeds] = column(run, "elapsed_tokens"), column(run, "loss")
    assert orders[42, 42] == orders[1, 42] != orders[42, 1]
    assert losses[42, 42] != losses[1, 42]


def test_noise_is_in_training_alone(make_project: MakeProject) -> None:
    """Validations are those of the weights, the checkpoint has nothing of it, and a resume is bit-equal."""
    settings = {"neftune_noise_alpha": 5.0, "max_steps": 6, "learning_rate": 1e-12, "eval_steps": 2}
    whole, parts = interrupted(make_project(**settings))
    assert column(parts, "loss") == column(whole, "loss")
    quiet = new_run(make_project(**{**settings, "neftune_noise_alpha": 0.0}))
    go(quiet)
    assert column(quiet, "loss") != column(whole, "loss")
    seen = column(whole, "validation_loss", "evaluated")
    assert seen == pytest.approx(column(quiet, "validation_loss", "evaluated"), abs=1e-6)
    assert weights(whole).keys() == weights(quiet).keys()


def test_noise_has_the_size_of_each_example() -> None:
    noise, embeddings = EmbeddingNoise(6.0), torch.nn.Embedding(5, 16).requires_grad_(False)
    tokens = torch.zeros(1, 1000, dtype=torch.int64)
    clean = embeddings(tokens)
    noise.expect({"cu_seq_lens_q": torch.tensor([0, 100, 1000])})
    with noise.on(embeddings):
        added = (embeddings(tokens) - clean).abs()[0]
        assert torch.equal(embeddings.eval()(tokens), clean)
    assert added[:100].max() == pytest.approx(6 / (100 * 16) ** 0.5, rel=0.01)
    assert added[100:].max() == pytest.approx(6 / (900 * 16) ** 0.5, rel=0.01)
    assert torch.equal(embeddings.train()(tokens), clean)
    noise.expect({"attention_mask": torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])})
    short = torch.zeros(2, 4, dtype=torch.int64)
    with noise.on(embeddings):
        added = (embeddings(short) - embeddings.weight[0]).abs()
    reach = 6 / (torch.tensor([2.0, 4.0]) * 16).sqrt()
    assert bool((added.amax(dim=(1, 2)) <= reach * 1.01).all()) and added[0].max() > reach[1]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("packing", ["batch", "bfd"])
def test_attention_is_the_one_that_was_asked_for(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, attention: str, packing: str
) -> None:
    losses, used = [], []
    real = trainer_module.Trainer.train

    def train(self: Any, *args: Any, **kwargs: Any) -> Any:
        used.append(self.model.config._attn_implementation)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(trainer_module.Trainer, "train", train)
    for each in ("auto", attention):
        run = new_run(make_project(model={"attn_implementation": each}, packing=packing, max_steps=3))
        go(run)
        losses.append(column(run, "loss"))
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert used == ["workbench_per_example", attention]


def test_double_quantization_and_compute_dtype(make_project: MakeProject) -> None:
    """A checkpoint is talked to on base weights that are quantized as in its training."""
    losses = {}
    for double, dtype in ((True, "auto"), (False, "auto"), (True, "bf16")):
        model = {"quantization": "nf4", "double_quantization": double, "compute_dtype": dtype}
        folder = make_project(model=model, max_steps=4)
        run = new_run(folder)
        go(run)
        losses[double, dtype] = column(run, "loss")
        target = next(each for each in targets(open_project(folder)) if each.run == run.id)
        layer = next(
            part
            for part in load_model(target, model_folder(target)).modules()
            if type(part).__name__ == "Linear4bit"
        )
        assert layer.weight.quant_state.nested == double
    assert len({tuple(each) for each in losses.values()}) == 3
    assert losses[True, "bf16"] == pytest.approx(losses[True, "auto"], abs=0.05)


@pytest.mark.parametrize("training", [{}, {"use_dora": True}], ids=["lora", "dora"])
def test_four_bits_on_the_model_that_comes_along(make_project: MakeProject, training: Any) -> None:
    """It trains, goes on bit by bit, and is loaded again."""
    folder = make_project(
        model={"base": "embedded", "quantization": "nf4"}, max_steps=4, rank=4, learning_rate=1e-3, **training
    )
    whole, parts = interrupted(folder, steps=4)
    assert column(parts, "loss") == column(whole, "loss")
    target = next(each for each in targets(open_project(folder)) if each.run == whole.id)
    model = load_model(target, model_folder(target))
    tokens = torch.arange(5, 20)[None]
    with torch.no_grad(), model.disable_adapter():
        plain = model(tokens).logits
    assert not torch.equal(model(tokens).logits, plain)


def readings(monkeypatch: pytest.MonkeyPatch, *losses: float) -> None:
    left = iter(losses)
    monkeypatch.setattr(
        trainer_module.Trainer, "_validate", lambda self: Reading(next(left), 0, 1, 1, 0, 1, 1)
    )


def test_early_stopping_ends_a_run_that_is_finished_then(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(eval_steps=2, early_stopping_patience=2, max_steps=40))
    readings(monkeypatch, 3.0, 2.0, 2.5, float("nan"))
    why = "early stopping: 2 validations without a new best, the best was step 4"
    assert go(run) == Ending("finished", 8, why)
    assert sorted(checkpoint.step for checkpoint in list_checkpoints(run)) == [2, 4, 8]
    # Killed before its last word, it takes no step more
    assert go(run) == Ending("finished", 8, why)
    assert column(run, "step")[-1] == 8


def test_patience_is_counted_on_after_a_resume(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(eval_steps=2, early_stopping_patience=3, max_steps=40))
    readings(monkeypatch, 1.0, 2.0, 2.0, 2.0, 0.5)
    assert go(run, StopAfter(run, 5)) == Ending("stopped", 5)
    assert go(run).step == 8


def test_a_validation_that_was_asked_for_costs_no_patience(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(make_project(eval_steps=4, early_stopping_patience=2, max_steps=40))
    readings(monkeypatch, 2.0, 3.0, 3.0, 1.0, 3.0, 3.0)
    asked: list[tuple[str, dict[str, Any]]] = [("validate", {})]
    why = "early stopping: 2 validations without a new best, the best was step 7"
    assert go(run, Asked(run, {4: asked, 5: asked, 6: asked})) == Ending("finished", 12, why)
    assert column(run, "step", "evaluated") == [4, 5, 6, 7, 8, 12]
    assert 7 in [checkpoint.step for checkpoint in list_checkpoints(run)]


def test_early_stopping_without_a_row_held_out(make_project: MakeProject) -> None:
    folder = make_project(early_stopping_patience=2, eval_steps=2, data={"validation": 0})
    nobody = 'split = "validation"\nwhere = { instruction = { equals = "nothing" } }\n'
    source = '[[data.source]]\nkind = "fields"\npath = "train.jsonl"\nuser = ["{instruction}"]\n'
    file = folder / "project.toml"
    file.write_text(file.read_text() + source + nobody)
    with pytest.raises(WorkbenchError, match="early_stopping_patience: no row is held out"):
        go(new_run(folder))


@no_gpu
@pytest.mark.parametrize(
    ("training", "model", "words"),
    [
        ({"use_liger_kernel": True}, {}, "use_liger_kernel: Liger's kernels need a GPU"),
        ({}, {"attn_implementation": "flash_attention_2"}, "flash_attention_2 needs a GPU; take auto"),
        (
            {"use_dora": True},
            {"quantization": "int8"},
            "DoRA on int8 weights does not work on a CPU",
        ),
        ({}, {"quantization": "nf4", "compute_dtype": "fp16"}, "model.compute_dtype = fp16 needs a GPU"),
    ],
)
def test_what_the_machine_cannot_do(
    make_project: MakeProject, training: dict[str, Any], model: dict[str, Any], words: str
) -> None:
    run = new_run(make_project(**training, model=model))
    with pytest.raises(WorkbenchError, match=words):
        go(run)
    assert not events(run, "started")


def test_packages_and_architectures_that_are_missing(
    make_project: MakeProject, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for training, model, words in (
        ({"use_liger_kernel": True}, {}, "needs the package liger-kernel"),
        ({}, {"attn_implementation": "flash_attention_2"}, "needs the package flash-attn"),
    ):
        settings = open_project(make_project(**training, model=model)).settings
        with pytest.raises(WorkbenchError, match=words):
            requirements.require_machine(settings, tiny_base, "bf16")


def test_compiled_blocks_train_alike_under_the_same_names(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traced as for a real compiler, whose minutes a test does not have."""
    real = torch.nn.Module.compile
    traced = partialmethod(real, backend="eager")
    monkeypatch.setattr(torch.nn.Module, "compile", traced)
    monkeypatch.setattr(requirements, "_require_compiler", lambda: None)
    runs = []
    for compiled in (False, True):
        run = new_run(make_project(torch_compile=compiled, max_steps=3, eval_steps=2))
        go(run)
        runs.append(run)
    assert column(runs[1], "loss") == pytest.approx(column(runs[0], "loss"), abs=1e-5)
    assert weights(runs[0]).keys() == weights(runs[1]).keys()


def test_no_compiler_is_told(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(function: Any) -> Any:
        raise RuntimeError("Failed to find C compiler.\nlong trace")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(WorkbenchError, match="torch_compile: torch.compile does not work here: .*C compiler"):
        go(new_run(make_project(torch_compile=True)))


def test_a_training_goes_on_from_an_adapter(make_project: MakeProject) -> None:
    """From its weights, with its rank, and with an optimiser of its own; a resume is bit-equal."""
    targets = ["down_proj", "q_proj", "up_proj"]
    folder = make_project(rank=4, target_modules=targets, init_lora_weights="pissa", max_steps=6)
    first = new_run(folder)
    go(first)
    folder = make_project(
        continue_from=f"{first.id}/step-6",
        rank=16,
        max_steps=6,
        dropout=0.1,
        eval_steps=1,
        learning_rate=1e-6,
    )
    whole, parts = interrupted(folder)
    assert column(parts, "loss") == column(whole, "loss")
    reached = column(first, "validation_loss", "evaluated")[-1]
    assert column(whole, "validation_loss", "evaluated")[0] == pytest.approx(reached, abs=1e-3)
    saved = json.loads((list_checkpoints(whole)[-1].path / "adapter_config.json").read_text())
    assert (saved["r"], sorted(saved["target_modules"]), saved["lora_dropout"]) == (8, targets, 0.1)
    start = load_file(first.checkpoints / "step-6" / "adapter_model.safetensors")
    assert weights(whole).keys() == start.keys()
    assert any(not torch.equal(weights(whole)[name], tensor) for name, tensor in start.items())


def test_an_adapter_of_other_layers_is_refused_by_the_engine_too(
    make_project: MakeProject, tiny_base: Path, tmp_path: Path
) -> None:
    first = new_run(make_project(rank=4, max_steps=1))
    go(first)
    weights = first.checkpoints / "step-1" / "adapter_model.safetensors"
    from safetensors.torch import save_file

    tensors = load_file(weights)
    name = next(name for name in tensors if "lora_A" in name)
    save_file({**tensors, name.replace("layers.0", "layers.7"): tensors[name].clone()}, weights)
    base = models.load_base_model(tiny_base, "none", torch.float32)
    settings = open_project(make_project()).settings.training
    with pytest.raises(WorkbenchError, match="1 layers that the base model lacks, .*layers.7"):
        models.make_trainable(base, settings, "base", adapter=weights.parent)
    save_file({**tensors, name: tensors[name][:, :3].contiguous()}, weights)
    base = models.load_base_model(tiny_base, "none", torch.float32)
    with pytest.raises(WorkbenchError, match="does not fit the base model: size mismatch for .*lora_A"):
        models.make_trainable(base, settings, "base", adapter=weights.parent)
