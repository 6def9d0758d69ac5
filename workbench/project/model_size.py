"""How many parameters a base model has, told from headers, configuration or name alone; and its preset."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.project.weights import safetensors_header

_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)
_PRESETS = ((0.1e9, "up-to-100m"), (1.5e9, "up-to-1b"), (5e9, "1b-to-4b"), (20e9, "7b-to-14b"))
"""Below so many parameters. Between two presets the border is where both are equally far away, as a ratio;
1.5 since models sold as 1B have up to 1.24 billion."""


def size_preset(parameters: float) -> str:
    """The preset by model size for a base model of this many parameters."""
    return next((name for most, name in _PRESETS if parameters < most), "30b-and-up")


def count_parameters(folder: Path) -> float | None:
    """Parameters of the model in a folder; None where neither weights nor configuration tell.

    The headers of the safetensors files say it exactly. Quantized files pack several weights into one number,
    and weights may be missing: then the shape of a Llama in config.json, within a few percent.
    """
    config = _config(folder)
    counted = None if "quantization_config" in config else _in_headers(folder)
    return counted or _of_shape(config)


def named_size(name: str) -> float | None:
    """Parameters by the name of a model, such as 0.6e9 for `Qwen/Qwen3-0.6B`; None where it has no size."""
    found = _SIZE.findall(re.sub(r"[-_/]", " ", name))
    if len(found) != 1:
        return None
    number, unit = found[0]
    return float(number) * (1e9 if unit in "bB" else 1e6)


def _in_headers(folder: Path) -> float | None:
    counts = [count for file in folder.glob("*.safetensors") for count in _tensors(file)]
    return float(sum(counts)) or None


def _tensors(file: Path) -> Iterator[int]:
    try:
        _, header = safetensors_header(file)
        yield from (math.prod(entry["shape"]) for key, entry in header.items() if key != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_bytes())
        return config.get("text_config") or config  # type: ignore[no-any-return]
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def _of_shape(config: dict[str, Any]) -> float | None:
    """Embeddings and head, and for each layer four attention matrices and three of a gated MLP."""
    try:
        hidden, layers, inner = (
            int(config[key]) for key in ("hidden_size", "num_hidden_layers", "intermediate_size")
        )
        heads = int(config["num_attention_heads"])
        width = int(config.get("head_dim") or hidden // heads)
        shared = int(config.get("num_key_value_heads") or heads)
        tables = 1 if config.get("tie_word_embeddings") else 2
        vocabulary = tables * int(config["vocab_size"]) * hidden
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    attention = 2 * hidden * width * (heads + shared)
    experts = config.get("num_local_experts") or config.get("num_experts") or 1
    mlp = 3 * hidden * int(config.get("moe_intermediate_size") or inner) * int(experts)
    return float(vocabulary + layers * (attention + mlp)) or None
