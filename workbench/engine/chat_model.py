"""A chat target in memory: the base model, with the checkpoint's adapter, or the checkpoint's own weights."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from workbench.chat.protocol import Target
from workbench.engine.adapters import load_adapter
from workbench.engine.models import load_base_model
from workbench.engine.vocabulary import grow_vocabulary
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.project.weights import check_model_files, is_pointer
from workbench.prompts.blocks import read_blocks
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.fingerprint import base_model_fingerprint
from workbench.prompts.template import Template, load_template
from workbench.prompts.tokenizer import load_tokenizer

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
REPLACING = ("modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication")
"""Keys of adapter_config.json that change more of a model than its linear layers."""


def model_folder(target: Target) -> Path:
    """Where tokenizer and weights are: the base model's folder, or that of a checkpoint that has all weights.

    A base model on the hub is fetched. Raises WorkbenchError: it, or the checkpoint, is gone or incomplete.
    """
    if target.weights is not None and not target.weights.is_dir():
        raise fault("the checkpoint is gone", target.weights, "it was deleted meanwhile: choose another")
    if target.weights is not None and not _is_adapter(target.weights):
        check_model_files(target.weights, target.label, weights=True)
        return target.weights
    return locate(target.base, target.project_folder, download=True).folder


def load_encoder(target: Target, folder: Path) -> Encoder:
    """What turns a conversation into the target's prompt: the run's own tokenizer, template, system message,
    blocks. The base model has no rows for special tokens that a project adds: it reads them as text.

    Raises WorkbenchError: no tokenizer, no or a broken template, a block's file that is gone.
    """
    if target.weights is not None and (target.weights / "tokenizer.json").is_file():
        folder = target.weights
    prompt = target.prompt
    tokenizer = load_tokenizer(folder, prompt.special_tokens if target.weights else ())
    if target.template_source is None:
        template = load_template(target.template, target.project_folder, tokenizer, prompt)
    else:
        template = Template(target.template, target.template_source)
    blocks = read_blocks(prompt, target.project_folder)
    return Encoder(tokenizer, template, system=prompt.system, blocks=blocks)


def load_model(target: Target, folder: Path) -> PreTrainedModel:
    """The target's weights, on the GPU when there is one, ready to answer.

    A CPU computes in fp32, whatever the file holds; a GPU in bf16 where it has it, else in fp16.

    Args:
        target: what to load.
        folder: as `model_folder` gives it.

    Raises WorkbenchError: the base model is not the one that the run was trained on, or the files do not fit.
    """
    require_base(target, folder)
    model, adapter = load_base(target, folder), adapter_of(target, folder)
    return with_adapter(model, adapter) if adapter else model


def adapter_of(target: Target, folder: Path) -> Path | None:
    """The target's adapter, where it has one on top of the weights in `folder`."""
    return target.weights if folder != target.weights else None


def require_base(target: Target, folder: Path) -> None:
    """Refuse, with a WorkbenchError, an adapter on a base model that it was not trained on.

    Args:
        folder: as `model_folder` gives it.
    """
    if adapter_of(target, folder) is None or not target.base_fingerprint:
        return
    if base_model_fingerprint(folder) != target.base_fingerprint:
        raise fault(
            f"the base model is not the one that run {target.run} was trained on",
            folder,
            "its weights or its configuration have changed; the adapter fits the old ones only",
        )


def load_base(target: Target, folder: Path) -> PreTrainedModel:
    """The weights in `folder`, without an adapter.

    Raises WorkbenchError: they are incomplete, broken, or of an architecture that is not known.
    """
    try:
        model: PreTrainedModel = load_base_model(
            folder, target.quantization, live_dtype(), double_quantization=target.double_quantization
        )
    except SafetensorError as error:
        raise fault(f"broken weights: {error}", folder) from None
    return model.eval().requires_grad_(False)


def changes_base(folder: Path, base: Path) -> bool:
    """Whether an adapter puts layers of its own in the place of the base model's: it cannot share it.

    Args:
        folder: the adapter's.
        base: the base model's.
    """
    config, own = _json(folder / ADAPTER_CONFIG), folder / "tokenizer.json"
    if any(config.get(key) for key in REPLACING):
        return True
    rows = _json(base / "config.json").get("vocab_size")
    return own.is_file() and isinstance(rows, int) and load_tokenizer(folder).size > rows


def live_dtype() -> torch.dtype:
    """Of the arithmetic: fp32 on a CPU, bf16 on a GPU that has it, else fp16."""
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _is_adapter(folder: Path) -> bool:
    if not (folder / ADAPTER_CONFIG).is_file():
        return False
    weights = folder / ADAPTER_WEIGHTS
    if not weights.is_file():
        raise fault("the adapter's weights are missing", weights)
    if is_pointer(weights):
        raise fault("a git-lfs pointer in place of the file", weights, f"run `git lfs pull` in {folder}")
    return True


def with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """`model` with the adapter of a checkpoint, after its vocabulary has grown to that of the run.

    Raises WorkbenchError: the two do not fit.
    """
    if (folder / "tokenizer.json").is_file():
        grow_vocabulary(model, load_tokenizer(folder).size, start=False)
    adapted: PreTrainedModel = load_adapter(model, folder)
    return adapted.eval().requires_grad_(False)


def _json(file: Path) -> dict[str, Any]:
    """Empty where it cannot be read: loading says what is wrong with it."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
