"""The size of a base model, and the preset that goes with it."""

import json
from pathlib import Path

import pytest

from workbench import embedded
from workbench.project.model_size import count_parameters, named_size, size_preset

SHAPE = {  # Llama-3.2-1B: 1,235,814,400 parameters
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
}


def test_of_the_embedded_model_by_its_headers() -> None:
    counted = count_parameters(embedded.FOLDER)
    assert counted is not None and 1.5e6 < counted < 1.7e6


def test_by_the_shape_where_there_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SHAPE))
    assert count_parameters(tmp_path) == pytest.approx(1_235_814_400, rel=0.001)


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"hidden_size": "x"}', "[" * 100_000])
def test_a_configuration_that_says_nothing(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    assert count_parameters(tmp_path) is None
    assert count_parameters(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Qwen/Qwen3-0.6B", 0.6e9),
        ("meta-llama/Llama-2-7b-hf", 7e9),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 135e6),
        ("unsloth/Llama-3.2-3B-Instruct-bnb-4bit", 3e9),
        ("openai-community/gpt2", None),
        ("mistralai/Mixtral-8x7B-v0.1", None),
    ],
)
def test_by_the_name(name: str, size: float | None) -> None:
    assert named_size(name) == size


@pytest.mark.parametrize(
    ("parameters", "preset"),
    [
        (1.6e6, "up-to-100m"),
        (135e6, "up-to-1b"),
        (1.24e9, "up-to-1b"),
        (1.54e9, "1b-to-4b"),
        (4.0e9, "1b-to-4b"),
        (6.7e9, "7b-to-14b"),
        (14.8e9, "7b-to-14b"),
        (32.8e9, "30b-and-up"),
    ],
)
def test_the_preset_of_a_size(parameters: float, preset: str) -> None:
    assert size_preset(parameters) == preset
