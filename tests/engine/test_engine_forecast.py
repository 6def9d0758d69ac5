"""The forecast counts as peft and transformers do, and two real steps need about what it says."""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from test_engine_recovery import SmallMemory
from test_engine_train import StopAfter, events, go, new_run
from transformers import AutoConfig, AutoModelForCausalLM

from workbench import embedded
from workbench.engine.measure_job import measure
from workbench.engine.models import count_parameters
from workbench.engine.reasons import OutOfMemory
from workbench.engine.vocabulary import vocabulary_layers
from workbench.machine.capacity import capacity
from workbench.project.schema import Project
from workbench.project.store import open_project
from workbench.prompts.survey.survey import survey
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.estimate import forecaster
from workbench.runs.forecast.measure import run_measurement
from workbench.runs.forecast.measurements import remembered
from workbench.runs.forecast.shape import _from_headers, read_shape
from workbench.runs.forecast.trained import trained_tensors

SMALL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
}
FAMILIES = {
    "llama": {},
    "mistral": {"head_dim": 24},
    "qwen2": {"use_sliding_window": False},
    "qwen3": {"head_dim": 32},
    "gemma": {"head_dim": 32},
    "gemma2": {"head_dim": 32},
    "gemma3_text": {"head_dim": 32},
}


def skeleton(config: Any) -> Any:
    """A model without memory for its weights."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model.tie_weights()
    return model


def settings(**training: Any) -> Any:
    return Project.model_validate({"name": "x", "training": training}).training


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tied", [True, False, None])
def test_every_family_has_the_parameters_of_transformers(
    family: str, tied: bool | None, tmp_path: Path
) -> None:
    more = {"attention_bias": True, "mlp_bias": True} if family == "llama" and tied else {}
    config = {"model_type": family, **SMALL, **FAMILIES[family], **more}
    if tied is not None:
        config["tie_word_embeddings"] = tied
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = skeleton(AutoConfig.from_pretrained(tmp_path))
    shape = read_shape(tmp_path)
    assert shape.parameters == count_parameters(model)[1]
    linear = {name: part for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
    linear.pop("lm_head")
    assert {each.name: (each.d_in, each.d_out) for each in shape.linears} == {
        name: (part.in_features, part.out_features) for name, part in linear.items()
    }


ADAPTERS: list[dict[str, Any]] = [
    {},
    {"rank": 3, "use_dora": True},
    {"target_modules": ["q_proj", "down_proj"]},
    {"target_modules": r".*layers\.1\..*proj"},
    {"target_modules": ["embed_tokens", "v_proj"]},
    {"modules_to_save": ["lm_head"]},
    {"modules_to_save": ["embed_tokens"], "target_modules": ["q_proj"]},
]


@pytest.mark.parametrize("training", ADAPTERS, ids=lambda training: "-".join(training) or "plain")
def test_adapters_have_as_many_parameters_as_peft_makes(training: dict[str, Any]) -> None:
    wanted, shape = settings(**training), read_shape(embedded.FOLDER)
    config = LoraConfig(
        r=wanted.rank,
        use_dora=wanted.use_dora,
        target_modules=wanted.target_modules,
        modules_to_save=wanted.modules_to_save or None,
        task_type="CAUSAL_LM",
    )
    model = AutoModelForCausalLM.from_pretrained(embedded.FOLDER)
    made = get_peft_model(model, config)
    assert sum(map(prod, trained_tensors(shape, wanted))) == count_parameters(made)[0]


def test_a_grown_vocabulary_counts_its_matrix_once() -> None:
    model = AutoModelForCausalLM.from_pretrained(embedded.FOLDER)
    config = LoraConfig(
        r=16,
        target_modules="all-linear",
        modules_to_save=vocabulary_layers(model),
        ensure_weight_tying=True,
        task_type="CAUSAL_LM",
    )
    made = get_peft_model(model, config)
    tensors = trained_tensors(read_shape(embedded.FOLDER), settings(), grown=True)
    assert sum(map(prod, tensors)) == count_parameters(made)[0]


def test_headers_say_what_the_config_says() -> None:
    by_config = read_shape(embedded.FOLDER)
    config = json.loads((embedded.FOLDER / "config.json").read_text())
    by_headers = _from_headers("llama", config, embedded.FOLDER)
    assert by_headers.parameters == by_config.parameters and by_headers.tied == by_config.tied
    assert set(by_headers.linears) == set(by_config.linears)


@pytest.mark.slow
def test_two_real_steps_need_what_was_forecast(make_project: Callable[..., Path]) -> None:
    """On a host most of a tiny run is libraries; the range is the one that the forecast itself claims."""
    project = open_project(make_project(gradient_accumulation_steps=2))
    box = Capacity("host", "host", 2**35, 2**34)
    made = forecaster(project, box, survey(project).statistics)
    result, forecast = run_measurement(project, made)
    assert abs(result.error) < forecast.uncertainty, result
    assert result.tokens_per_second and result.tokens_per_second > 0
    assert remembered() == [result]
    then = forecaster(project, box, made.statistics, remembered()).memory(project.settings)
    assert then.remark.startswith("corrected by 1 measurement of this box")
    assert abs(then.total / result.peak_bytes - 1) < 0.05
    assert not list((project.folder / "runs").glob("*")), "nothing is left of it"


@pytest.mark.parametrize("packing", ["none", "batch", "bfd"])
def test_every_run_corrects_later_forecasts(make_project: Callable[..., Path], packing: str) -> None:
    folder = make_project(max_steps=4, packing=packing)
    run = new_run(folder)
    go(run, StopAfter(run, 2))
    go(run)
    found = remembered()
    assert [each.origin for each in found] == [run.id] * 2, "each attempt"
    assert all(each.peak_bytes > each.exact_bytes > 0 for each in found)
    project = open_project(folder)
    then = forecaster(project, capacity(), None, found).memory(project.settings)
    assert then.remark.startswith("corrected by 2 measurements of this box")
    # A second resume has nothing left to do, and tells nothing
    go(run)
    assert remembered() == found


def test_a_measurement_of_halved_micro_batches_is_none(
    make_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    SmallMemory(monkeypatch, 110, backward=False)
    go(new_run(make_project(max_steps=2)))
    assert remembered() == []
    with pytest.raises(OutOfMemory, match="micro-batch 4; 2 at a time fits"):
        measure(open_project(make_project()))


def test_the_batch_of_a_measurement_is_what_was_packed(make_project: Callable[..., Path]) -> None:
    told = measure(open_project(make_project(packing="bfd", per_device_train_batch_size=2)))
    assert told["batch"]["rows"] == 2 and told["batch"]["longest"] < 128
    assert 128 < told["batch"]["tokens"] <= 256


def test_an_adapter_to_go_on_from_counts_as_it_is(make_project: Callable[..., Path]) -> None:
    folder = make_project(max_steps=2, rank=3, target_modules=["q_proj", "down_proj"], use_dora=True)
    run = new_run(folder)
    go(run)
    whole = open_project(folder)
    name = f"{run.id}/step-2"
    goes_on = open_project(make_project(max_steps=1, rank=64, continue_from=name))
    made = forecaster(goes_on, capacity(), None)
    memory = made.memory(goes_on.settings)
    assert memory.trainable == made.memory(whole.settings).trainable
    second = new_run(folder)
    go(second)
    assert events(second, "started")[0]["trainable_parameters"] == memory.trainable
