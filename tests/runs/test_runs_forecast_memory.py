"""The forecast's arithmetic, held against figures worked out by hand and against published counts."""

import json
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.project.remarks import with_changes
from workbench.project.schema import Project
from workbench.prompts.survey.statistics import SideStatistics, Statistics
from workbench.runs.forecast.activations import (
    activation_bytes,
    attention_bytes,
    fused_logits_bytes,
    layer_bytes,
    logits_bytes,
)
from workbench.runs.forecast.batch import Batch, largest_batch
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.changes import enough, helping_changes
from workbench.runs.forecast.estimate import FITS, TIGHT, TOO_MUCH, Forecaster
from workbench.runs.forecast.memory import HOST_LIBRARIES, Memory, forecast_memory, weight_bytes
from workbench.runs.forecast.shape import Shape, read_shape
from workbench.runs.forecast.trained import optimiser_bytes, targets, trained_tensors

MIB, GIB = 2**20, 2**30
LLAMA_7B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "vocab_size": 32000,
    "tie_word_embeddings": False,
}
QWEN_05B = {
    "model_type": "qwen2",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
HOST = Capacity("host", "host", 24 * GIB, 20 * GIB)
GPU = Capacity("cuda:0", "a card", 24 * GIB, 24 * GIB, bf16=True)


def shape_of(folder: Path, config: dict[str, Any]) -> Shape:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return read_shape(folder)


@pytest.fixture
def llama(tmp_path: Path) -> Shape:
    return shape_of(tmp_path / "llama", LLAMA_7B)


@pytest.fixture
def qwen(tmp_path: Path) -> Shape:
    return shape_of(tmp_path / "qwen", QWEN_05B)


def project(
    model: dict[str, Any] | None = None, data: dict[str, Any] | None = None, **training: Any
) -> Project:
    tables = {"name": "x", "model": model or {}, "data": data or {}, "training": training}
    return Project.model_validate(tables)


def batch(tokens: int, rows: int = 1) -> Batch:
    return Batch(rows, tokens, tokens, tokens // rows, padded=False, measured=True)


def test_parameters_are_those_that_the_models_publish(llama: Shape, qwen: Shape) -> None:
    assert llama.parameters == 6_738_415_616
    assert qwen.parameters == 494_032_768


def test_adapters_are_as_large_as_peft_says(llama: Shape, qwen: Shape) -> None:
    """Known figures: r 16 on all linear layers of Llama-2-7B, r 8 on its q and v; Qwen by hand."""
    assert sum(map(prod, trained_tensors(llama, project(rank=16).training))) == 39_976_960
    q_v = project(rank=8, target_modules=["q_proj", "v_proj"]).training
    assert sum(map(prod, trained_tensors(llama, q_v))) == 4_194_304
    one_layer = 2 * (896 + 896) + 2 * (896 + 128) + 2 * (896 + 4864) + (4864 + 896)
    assert sum(map(prod, trained_tensors(qwen, project(rank=16).training))) == 24 * 16 * one_layer


def test_a_pattern_and_names_choose_the_layers(llama: Shape) -> None:
    pattern = project(target_modules=r".*\.layers\.[01]\.mlp\..*").training
    assert [each.name for each in targets(llama, pattern)][0] == "model.layers.0.mlp.gate_proj"
    assert len(targets(llama, pattern)) == 6
    assert targets(llama, project(target_modules="(").training) == []


def test_weights_quantised_are_the_linear_layers_alone(llama: Shape) -> None:
    linear = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    rest = 6_738_415_616 - linear
    assert weight_bytes(llama, "none", True, 2) == 2 * 6_738_415_616
    assert weight_bytes(llama, "nf4", False, 2) == rest * 2 + linear * 0.5625
    assert weight_bytes(llama, "nf4", True, 2) == pytest.approx(rest * 2 + linear * 0.516, rel=1e-3)
    outputs = 32 * (5 * 4096 + 2 * 11008)
    assert weight_bytes(llama, "int8", True, 2) == rest * 2 + linear + 4 * outputs


def test_optimiser_states() -> None:
    big, small = (1024, 1024), (100,)
    assert optimiser_bytes([big, small], "adamw_torch_fused") == 8 * (1024 * 1024 + 100)
    assert optimiser_bytes([big, small], "adamw_8bit") == 2 * (1024 * 1024 + 4 * 4096) + 800
    assert optimiser_bytes([big], "paged_adamw_8bit") == optimiser_bytes([big], "adamw_8bit")
    assert optimiser_bytes([big, small], "adafactor") == 4 * 2048 + 400
    assert optimiser_bytes([big], "sgd") == 0


def test_the_worked_check_of_the_notes(qwen: Shape) -> None:
    """Measured on a Qwen2.5-0.5B shape, all in bf16, 1,024 tokens, plain loss, checkpointed: 942 MiB weights,
    1,885 Adam, 941 + 1,187 for activations and temporaries, 4,955 in all; 6,377 without checkpointing."""
    weights, adam = weight_bytes(qwen, "none", True, 2), 4 * qwen.parameters
    assert weights / MIB == pytest.approx(942, abs=1) and adam / MIB == pytest.approx(1885, abs=1)
    logits = logits_bytes(batch(1024), qwen.vocabulary, 2)
    settings = project(method="full", gradient_checkpointing=True).training
    kept = activation_bytes(qwen, settings, batch(1024), 2)
    assert (kept + logits) / MIB == pytest.approx(941 + 1187, rel=0.01)
    assert (weights + adam + kept + logits) / MIB == pytest.approx(4955, rel=0.01)
    assert logits / (weights + adam + kept + logits) == pytest.approx(0.42, abs=0.01)


def test_layers_in_bf16_keep_what_was_measured(qwen: Shape) -> None:
    """57 to 63 kB of each token in each layer, for weights that are bf16 themselves; ours are fp32 masters,
    whose inputs autocast copies: somewhat more. An adapter keeps a copy for every layer it stands beside."""
    full = layer_bytes(qwen, project(method="full").training, batch(1000), 2) / 1000
    assert 57_000 <= full <= 75_000
    adapter = layer_bytes(qwen, project().training, batch(1000), 2) / 1000
    assert 57_000 <= adapter <= 75_000


def test_activations_by_hand(llama: Shape) -> None:
    """fp32, an adapter on all layers: both norms keep their input, attention its four tensors and its input,
    the MLP its input and four tensors, and each of seven adapters its inner 16 numbers."""
    hidden, inner = 4096, 11008
    by_hand = 4 * (2 * hidden + 4 * hidden + 2 * hidden + hidden + 4 * inner + 7 * 16)
    assert layer_bytes(llama, project(rank=16).training, batch(10), 4) == 10 * by_hand
    checkpointed = project(gradient_checkpointing=True).training
    assert activation_bytes(llama, checkpointed, batch(10), 2) == 10 * hidden * (32 * 2 + 12)


def test_logits_plain_and_fused(llama: Shape) -> None:
    assert logits_bytes(batch(100), 32000, 4) == 12 * 100 * 32000
    padded = replace(batch(100), padded=True)
    assert logits_bytes(padded, 32000, 4) == 20 * 100 * 32000
    fused = fused_logits_bytes(llama, batch(8192), 2, head_trains=False)
    assert fused == 4096 * 32000 * 2 + 8192 * 4096 * 6
    assert fused_logits_bytes(llama, batch(8192), 2, head_trains=True) == fused + 4 * 32000 * 4096


def test_eager_attention_holds_squares(llama: Shape) -> None:
    assert attention_bytes(llama, batch(1000), 2, "eager") == 32 * 32 * 1000**2 * 6
    assert attention_bytes(llama, batch(1000), 2, "auto") == 0


def test_the_parts_add_up_and_the_peak_is_at_the_loss(llama: Shape) -> None:
    memory = forecast_memory(project(), llama, batch(4096), GPU)
    assert memory.total == sum(memory.parts.values()) and memory.low < memory.total < memory.high
    assert memory.precision == "bf16" and memory.moment == "loss" and memory.parts["gradients"] == 0
    assert memory.parts["weights"] == 2 * 6_738_415_616
    assert memory.parts["adapter"] == 4 * 39_976_960 and memory.parts["optimiser"] == 8 * 39_976_960
    accumulated = forecast_memory(project(gradient_accumulation_steps=2), llama, batch(4096), GPU)
    assert accumulated.total - memory.total == 4 * 39_976_960, "gradients wait for the next micro-batch"


def test_full_training_of_few_tokens_peaks_where_all_gradients_are(qwen: Shape) -> None:
    memory = forecast_memory(project(method="full"), qwen, batch(16), HOST)
    assert memory.moment == "update"
    head = 4 * 151936 * 896
    assert memory.parts["gradients"] == 4 * qwen.parameters + head, "a tied matrix gets two"
    holes = layer_bytes(qwen, project(method="full").training, batch(16), 4) * 24 * 0.15
    assert memory.total == 16 * qwen.parameters + head + HOST_LIBRARIES + round(holes)


def test_full_training_in_bf16_has_copies_of_the_weights(llama: Shape) -> None:
    memory = forecast_memory(project(method="full"), llama, batch(16), GPU)
    linear = sum(each.size for each in llama.linears)
    assert memory.parts["weights"] == 4 * llama.parameters + 2 * linear


def statistics(lengths: list[int], supervised: float = 0.5, rows: int | None = None) -> Statistics:
    side = SideStatistics(rows=rows or len(lengths), encoded=len(lengths), supervised=supervised)
    side.longest = [(0, i, each) for i, each in enumerate(sorted(lengths, reverse=True)[:20])]
    return Statistics(sides={"train": side}, train_lengths=lengths)


def test_the_largest_micro_batch_is_the_longest_rows() -> None:
    found = statistics([10, 90, 50, 300, 70])
    settings = project(data={"max_tokens": 100}, per_device_train_batch_size=2)
    assert largest_batch(settings, found) == Batch(2, 160, 80, 90, padded=False, measured=True)
    cut = project(data={"max_tokens": 100, "overlong": "truncate"}, per_device_train_batch_size=2)
    assert largest_batch(cut, found).tokens == 190
    padded = project(data={"max_tokens": 100}, per_device_train_batch_size=3, packing="none")
    assert largest_batch(padded, found).tokens == 270
    filled = project(data={"max_tokens": 100}, per_device_train_batch_size=2, packing="bfd")
    assert largest_batch(filled, found).tokens == 200
    few = project(data={"max_tokens": 100}, per_device_train_batch_size=50)
    assert largest_batch(few, found).rows == 5
    assert largest_batch(settings, None) == Batch(2, 200, 200, 100, padded=False, measured=False)


def test_an_unknown_family_is_read_from_its_weights(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    config = {"model_type": "strange", "vocab_size": 50, "num_hidden_layers": 1, "num_attention_heads": 2}
    with pytest.raises(WorkbenchError, match="strange"):
        shape_of(tmp_path / "m", config)
    tensors = {
        "m.embed_tokens.weight": (50, 8),
        "m.layers.0.attn.qkv.weight": (24, 8),
        "m.layers.1.attn.qkv.weight": (24, 8),
        "m.layers.1.norm.weight": (8,),
        "lm_head.weight": (50, 8),
    }
    save_file(
        {name: np.zeros(size, np.float16) for name, size in tensors.items()}, tmp_path / "m/x.safetensors"
    )
    shape = read_shape(tmp_path / "m")
    assert shape.layers == 2 and not shape.tied and shape.head == "lm_head"
    assert shape.parameters == sum(map(prod, tensors.values()))
    assert [(each.d_in, each.d_out) for each in shape.linears] == [(8, 24)] * 2
    assert layer_bytes(shape, project().training, batch(10), 2) == round(1.2 * 2 * 32 * 10)


BROKEN = ["", "[]", "{", '{"model_type": "llama"}', '{"model_type": "llama", "vocab_size": "x"}']


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_config_is_a_fault_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(WorkbenchError, match=str(tmp_path)):
        read_shape(tmp_path)


def forecaster(shape: Shape, capacity: Capacity, found: Statistics | None = None) -> Forecaster:
    return Forecaster(shape, False, found, capacity, ())


def test_verdicts(llama: Shape) -> None:
    made, settings = forecaster(llama, GPU), project(per_device_train_batch_size=1)
    need = made.memory(settings)
    for free, verdict in ((need.high, FITS), (need.total, TIGHT), (need.total - 1, TOO_MUCH)):
        box = replace(GPU, free=free + 500 * MIB)
        assert forecaster(llama, box).verdict(need) == verdict, verdict


def test_changes_say_what_they_save(llama: Shape) -> None:
    found = statistics([*range(100, 300), 1000], rows=402)
    settings = project(per_device_train_batch_size=4, gradient_accumulation_steps=3)
    made = forecaster(llama, GPU, found)
    changes = {change.name: change for change in made.changes(settings)}
    halved = changes["micro-batch 2, the same effective batch"]
    assert halved.overrides["training.gradient_accumulation_steps"] == 6
    for change in changes.values():
        saved = made.memory(settings).total - made.memory(with_changes(settings, change.overrides)).total
        assert change.saved == saved > 0
    shorter = changes["rows of at most 298 tokens"]
    assert (
        shorter.overrides == {"data.max_tokens": 298}
        and shorter.cost == "about 4 of 402 training rows left out"
    )
    assert "4-bit weights" in changes and "an adapter instead of all weights" not in changes
    assert not any(
        "4-bit" in each.name for each in helping_changes(settings, made.memory, found, four_bits=False)
    )


def test_a_plan_makes_it_fit_with_as_few_changes_as_it_takes(llama: Shape) -> None:
    settings = project(per_device_train_batch_size=64, data={"max_tokens": 1024})
    made = forecaster(llama, GPU)
    changes = made.changes(settings)
    plan = enough(settings, changes, made.memory, made.room)
    overrides = {key: value for change in plan for key, value in change.overrides.items()}
    then = with_changes(settings, overrides)
    assert made.memory(settings).total > made.room >= made.memory(then).high
    training = then.training
    assert training.per_device_train_batch_size * training.gradient_accumulation_steps >= 64
    assert enough(project(per_device_train_batch_size=1), changes, made.memory, 10**15) == []


def test_correction_leaves_the_exact_parts_alone(llama: Shape) -> None:
    memory = forecast_memory(project(), llama, batch(4096), GPU)
    twice: Memory = memory.corrected(2.0, 0.1, "why")
    assert twice.exact == memory.exact and twice.estimated == pytest.approx(2 * memory.estimated, abs=3)
