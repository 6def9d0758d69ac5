"""Remarks on settings: each where it is true, none where it is not."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.project.fields import form_fields
from workbench.project.remarks import remarks, weight_bytes, with_changes
from workbench.project.schema import Project

TINY, LARGE = 6_000_000, 14_000_000_000
SOURCE = {"kind": "fields", "path": "a.jsonl", "user": ["{a}"]}
KEYS = [field.key for section in ("model", "data", "training") for field in form_fields(section)]


def settings(**keys: Any) -> Project:
    """A project with keys of `[training]`, and those of `[data]` and `[model]` after `data_` and `model_`."""
    tables: dict[str, Any] = {"model": {}, "data": {"source": [SOURCE]}, "training": {}}
    for key, value in keys.items():
        section, _, name = key.partition("__") if "__" in key else ("training", "", key)
        tables[section][name] = value
    return Project.model_validate({"name": "p", **tables})


def told(project: Project, steps: int | None = 500, weights: int | None = LARGE) -> dict[str, str]:
    found = remarks(project, steps, weights)
    assert len({remark.key for remark in found}) == len(found)
    return {remark.key: remark.text for remark in found}


@pytest.mark.parametrize("weights", [None, TINY, LARGE])
@pytest.mark.parametrize("steps", [None, 1, 10_000])
def test_nothing_is_said_of_defaults(steps: int | None, weights: int | None) -> None:
    assert not told(settings(), steps, weights)
    assert not told(settings(method="full", learning_rate=2e-5), steps, weights)
    assert not told(settings(data__validation=0, data__source=[SOURCE, SOURCE | {"split": "validation"}]))


@pytest.mark.parametrize(
    ("keys", "key", "text"),
    [
        ({"lr_scheduler_type": "constant", "warmup_steps": 0.05}, "warmup_steps", "constant_with_warmup has"),
        ({"lr_restarts": 3}, "lr_restarts", "cosine_with_restarts"),
        ({"rank": 64, "alpha": 16}, "alpha", "counts 0.25 = alpha / rank; usual are 64 and 128"),
        ({"rank": 64, "alpha": 16, "use_rslora": True}, "alpha", "counts 2 = alpha / sqrt(rank)"),
        ({"method": "full", "learning_rate": 2e-5, "rank": 8}, "rank", "no adapter"),
        ({"method": "full", "learning_rate": 2e-5, "use_rslora": True}, "use_rslora", "no adapter"),
        ({"max_steps": 20, "warmup_steps": 50}, "warmup_steps", "longer than the run, which has 20 steps"),
        ({"continue_from": "a", "rank": 8}, "rank", "has its own"),
        ({"continue_from": "a", "use_dora": True}, "use_dora", "has its own"),
        ({"continue_from": "a", "modules_to_save": ["lm_head"]}, "modules_to_save", "has its own"),
        ({"model__compute_dtype": "bf16"}, "model.compute_dtype", "nf4"),
        ({"model__double_quantization": False}, "model.double_quantization", "nf4"),
        ({"optim": "adafactor", "adam_beta2": 0.9}, "adam_beta2", "adafactor has none"),
        ({"method": "full"}, "learning_rate", "10 times the 2e-05 usual for full"),
        ({"learning_rate": 2e-6}, "learning_rate", "a 100th of the 0.0002 usual for lora"),
        ({"optim": "paged_adamw_8bit"}, "optim", "saves nothing"),
        ({"packing": "bfd"}, "per_device_train_batch_size", "8 rows of max_tokens at once, 8,192 tokens"),
        ({"eval_steps": 501}, "eval_steps", "500 steps: validated at its end alone"),
        ({"max_steps": 9, "save_steps": 10}, "save_steps", "9 steps: saved at its end alone"),
        ({"data__train_on": "all"}, "data.train_on", "prompts are trained too"),
        ({"data__validation": 0}, "data.validation", "overfitting"),
        ({"data__max_answer_tokens": 1024}, "data.max_answer_tokens", "max_tokens = 1,024 comes first"),
        (
            {"data__max_prompt_tokens": 600, "data__max_answer_tokens": 600},
            "data.max_prompt_tokens",
            "1,200; max_tokens = 1,024 is less",
        ),
    ],
)
def test_what_is_said_alone(keys: dict[str, Any], key: str, text: str) -> None:
    found = told(settings(**keys))
    assert list(found) == [key if "." in key else f"training.{key}"]
    assert text in next(iter(found.values()))


@pytest.mark.parametrize(
    "keys",
    [
        {"lr_scheduler_type": "constant"},
        {"lr_scheduler_type": "constant", "warmup_steps": 0.0},
        {"lr_scheduler_type": "cosine_with_restarts", "lr_restarts": 3},
        {"rank": 8, "alpha": 16},
        {"continue_from": "a", "dropout": 0.2},
        {"model__quantization": "nf4", "model__compute_dtype": "bf16", "model__double_quantization": False},
        {"method": "full", "learning_rate": 2e-5, "optim": "paged_adamw_32bit"},
        {"modules_to_save": ["lm_head"], "optim": "paged_adamw_32bit"},
        {"packing": "bfd", "per_device_train_batch_size": 1},
        {"eval_steps": 500, "save_steps": 0},
        {"early_stopping_patience": 2},
        {"data__train_on": "all", "data__source": [{"kind": "text", "path": "a.txt"}]},
        {"data__max_prompt_tokens": 500, "data__max_answer_tokens": 500},
        {"gradient_checkpointing": True},
    ],
)
def test_what_needs_no_word(keys: dict[str, Any]) -> None:
    assert not told(settings(**keys))


def test_a_tiny_model_takes_high_rates_and_needs_no_checkpointing(tmp_path: Path) -> None:
    project = settings(learning_rate=5e-3, gradient_checkpointing=True)
    assert list(told(project, weights=TINY)) == ["training.gradient_checkpointing"]
    assert list(told(project)) == ["training.learning_rate"]
    assert weight_bytes(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"12")
    assert weight_bytes(tmp_path) == 2


@given(st.data())
def test_remarks_are_short_and_go_when_what_has_no_effect_goes(data: st.DataObject) -> None:
    changes: dict[str, Any] = {}
    for section in ("model", "data", "training"):
        for field in form_fields(section):
            if field.kind == "choice" and data.draw(st.booleans()):
                changes[field.key] = data.draw(st.sampled_from(field.choices))
            elif field.kind == "bool":
                changes[field.key] = data.draw(st.booleans())
            elif field.kind == "int" and data.draw(st.booleans()):
                changes[field.key] = data.draw(st.integers(1, 2000))
    project = with_changes(settings(), changes)
    for key, text in told(project, data.draw(st.none() | st.integers(1, 1000))).items():
        assert key in KEYS and "\n" not in text and len(text) <= 90
        if text.startswith(("no effect", "ignored")):
            default = next(f.default for f in form_fields(key.split(".")[0]) if f.key == key)
            neutral = 0.0 if key == "training.warmup_steps" else default
            assert key not in told(with_changes(project, {key: neutral}))
