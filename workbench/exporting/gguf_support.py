"""Which models can be written as GGUF here, and how llama.cpp's own converter is called for the others."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from workbench.errors import fault

ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""`model_type` of config.json to llama.cpp's name."""

_PACKAGE = "gguf"
_TYPES = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "q8_0": "q8_0"}


def require_support(base: Path, dtype: str, to: Path) -> None:
    """Refuse, with a WorkbenchError that names llama.cpp's command, what cannot be written here.

    Args:
        base: folder of the model whose architecture it is.
        dtype: of the file.
        to: where the export shall go.
    """
    if reason := _reason(base):
        merged = to.with_name(f"{to.name}-merged")
        hint = (
            f"--as merged --to {merged}, then python convert_hf_to_gguf.py {merged} "
            f"--outfile {to / 'model.gguf'} --outtype {_TYPES[dtype]} of llama.cpp"
        )
        raise fault(f"no GGUF file: {reason}", "--as gguf", hint)


def _reason(base: Path) -> str:
    if importlib.util.find_spec(_PACKAGE) is None:
        return "the package gguf is not installed (pip install 'workbench[gguf]')"
    config: dict[str, Any] = json.loads((base / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") not in ARCHITECTURES:
        return f"the architecture {config.get('model_type')} is not known here"
    if config.get("use_sliding_window", True) and config.get("sliding_window"):
        return "this model has a sliding window"
    ropes = (config.get(key) or {} for key in ("rope_parameters", "rope_scaling"))
    kinds = {rope.get("rope_type", rope.get("type", "default")) for rope in ropes} - {"default"}
    return f"this model stretches its positions ({', '.join(kinds)})" if kinds else ""
