"""Every kind of adapter trains, is saved as it fits the plain base model, and goes on bit by bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_engine_train import StopAfter, column, go, new_run
from transformers import GPT2Config, GPT2LMHeadModel

from workbench.chat.targets import targets
from workbench.engine import trainer as trainer_module
from workbench.engine.adapters import restore, save_adapter
from workbench.engine.chat_model import load_model, model_folder
from workbench.engine.models import load_base_model, make_trainable
from workbench.engine.train import Ending
from workbench.errors import WorkbenchError
from workbench.project.store import open_project
from workbench.project.training import TrainingSettings
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import Run

MakeProject = Callable[..., Path]
TOKENS = torch.arange(5, 29)[None]

ADAPTERS: list[dict[str, Any]] = [
    {"use_rslora": True},
    {"use_dora": True},
    {"init_lora_weights": "orthogonal"},
    {"init_lora_weights": "olora"},
    {"init_lora_weights": "pissa"},
    {"init_lora_weights": "pissa_niter_16"},
    {"init_lora_weights": "pissa", "use_rslora": True, "use_dora": True, "modules_to_save": ["norm"]},
    {"modules_to_save": ["lm_head"]},
    {"target_modules": ["q_proj", "up_proj"], "modules_to_save": ["input_layernorm"]},
]


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models of the trainings of a test, as they were at the end."""
    models: list[Any] = []
    real = trainer_module.Trainer.train

    def train(self: Any, *args: Any, **kwargs: Any) -> Any:
        models.append(self.model)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(trainer_module.Trainer, "train", train)
    return models


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    return model.eval()(input_ids=TOKENS, use_cache=False).logits


def in_chat(run: Run) -> Any:
    """The newest checkpoint as the chat engine loads it."""
    newest = list_checkpoints(run)[-1].path
    target = next(each for each in targets(open_project(run.folder.parents[1])) if each.weights == newest)
    return load_model(target, model_folder(target))


def adapter_file(run: Run) -> dict[str, torch.Tensor]:
    return load_file(list_checkpoints(run)[-1].path / "adapter_model.safetensors")


@pytest.mark.parametrize("training", ADAPTERS, ids=lambda each: "-".join(map(str, each.values())))
def test_it_learns_is_talked_to_and_goes_on_bit_by_bit(
    make_project: MakeProject, tiny_base: Path, live: list[Any], training: dict[str, Any]
) -> None:
    folder = make_project(**training, rank=4, dropout=0.1, max_steps=6, learning_rate=5e-3)
    whole, parts = new_run(folder), new_run(folder)
    go(whole)
    assert column(whole, "loss")[-1] < column(whole, "loss")[0]
    assert torch.allclose(logits(in_chat(whole)), logits(live[0]), atol=2e-5)
    base = load_base_model(tiny_base, "none", torch.float32)
    assert not torch.allclose(logits(base), logits(live[0]), atol=1e-2)

    assert go(parts, StopAfter(parts, 3)) == Ending("stopped", 3)
    torch.manual_seed(99)
    assert go(parts) == Ending("finished", 6)
    for name in ("loss", "grad_norm", "learning_rate"):
        assert column(parts, name) == column(whole, name), name
    ours, theirs = adapter_file(whole), adapter_file(parts)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("start", ["gaussian", "orthogonal", "olora", "pissa", "pissa_niter_16"])
@pytest.mark.parametrize("dora", [False, True])
def test_every_start_is_the_base_model_itself(tiny_base: Path, start: Any, dora: bool) -> None:
    base = load_base_model(tiny_base, "none", torch.float32)
    plain = logits(base)
    model = make_trainable(base, TrainingSettings(rank=4, init_lora_weights=start, use_dora=dora), "base")
    assert torch.allclose(logits(model), plain, atol=2e-5)
    weights = {name: each for name, each in model.named_parameters() if ".lora_B" in name}
    taken = start in ("olora", "pissa", "pissa_niter_16", "orthogonal")
    assert all(bool(each.any()) == taken for each in weights.values())


def test_what_was_taken_out_is_found_in_plain_peft_and_in_a_transposed_layer(tmp_path: Path) -> None:
    """GPT-2 keeps its weights transposed; the checkpoint is an ordinary adapter of twice the rank."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=64)
    base = GPT2LMHeadModel(config)
    plain = GPT2LMHeadModel(config)
    plain.load_state_dict(base.state_dict())
    settings = TrainingSettings(rank=3, alpha=5, use_rslora=True, init_lora_weights="pissa")
    model = make_trainable(base, settings, "base")
    for each in model.parameters():
        if each.requires_grad:
            each.data += 0.05 * torch.randn_like(each)
    save_adapter(model, tmp_path)
    saved = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (saved["r"], saved["init_lora_weights"]) == (6, True)
    again = GPT2LMHeadModel(config)
    again.load_state_dict(plain.state_dict())
    resumed = make_trainable(again, settings, "base", resumes=True)
    assert restore(resumed, tmp_path)
    assert torch.equal(logits(resumed), logits(model))
    assert torch.allclose(logits(PeftModel.from_pretrained(plain, tmp_path)), logits(model), atol=1e-5)


@pytest.mark.parametrize(
    ("training", "words"),
    [
        (
            {"target_modules": ["q_proj", "query"]},
            "no layer is called query; layers here.*o_proj",
        ),
        ({"modules_to_save": ["normm"]}, "modules_to_save: no layer is called normm; layers here.*norm"),
        ({"init_lora_weights": "pissa", "rank": 40}, "pissa finds 32 directions in .*k_proj, the rank is 40"),
        ({"init_lora_weights": "olora", "rank": 33}, "olora finds 32 directions"),
    ],
)
def test_layers_that_are_not_there_are_named(tiny_base: Path, training: dict[str, Any], words: str) -> None:
    base = load_base_model(tiny_base, "none", torch.float32)
    with pytest.raises(WorkbenchError, match=words):
        make_trainable(base, TrainingSettings(**training), "base")


def test_quantized_layers_are_not_trained_whole(tiny_base: Path) -> None:
    base = load_base_model(tiny_base, "nf4", torch.float32)
    with pytest.raises(WorkbenchError, match="modules_to_save: q_proj is quantized"):
        make_trainable(base, TrainingSettings(target_modules=["v_proj"], modules_to_save=["q_proj"]), "base")


def test_tied_embeddings_and_head_stay_one(tiny_base: Path) -> None:
    base = load_base_model(tiny_base, "none", torch.float32)
    model = make_trainable(base, TrainingSettings(modules_to_save=["lm_head"]), "base")
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert model.get_input_embeddings().weight.requires_grad
