"""A chat target in memory: the base model, with the checkpoint's adapter, or the checkpoint's own weights."""

import warnings
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import PreTrainedModel

from workbench.chat.protocol import Target
from workbench.engine.models import load_base_model
from workbench.errors import fault
from workbench.project.base_model import locate
from workbench.prompts.encode import Encoder
from workbench.prompts.fingerprint import base_model_fingerprint
from workbench.prompts.template import Template, load_template
from workbench.prompts.tokenizer import load_tokenizer

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


def load_encoder(target: Target) -> Encoder:
    """What turns a conversation into the target's prompt: the run's own template and system message.

    Raises WorkbenchError: base model not found, no or a broken template.
    """
    base = locate(target.base, target.project_folder, weights=False).folder
    tokenizer = load_tokenizer(base)
    if target.template_source is None:
        template = load_template(target.template, target.project_folder, tokenizer)
    else:
        template = Template(target.template, target.template_source)
    return Encoder(tokenizer, template, system=target.system)


def load_model(target: Target) -> PreTrainedModel:
    """The target's weights, on the GPU when there is one, ready to answer.

    A CPU computes in fp32, whatever the file holds; a GPU in bf16 where it has it, else in fp16.

    Raises WorkbenchError: the base model or the checkpoint is gone, incomplete, not the one that the run was
    trained on, or does not fit.
    """
    base = locate(target.base, target.project_folder, download=True).folder
    adapter = target.weights is not None and _is_adapter(target.weights)
    folder = base if target.weights is None or adapter else target.weights
    _require_weights(folder)
    if adapter and target.base_fingerprint and base_model_fingerprint(base) != target.base_fingerprint:
        raise fault(
            f"the base model is not the one that run {target.run} was trained on",
            base,
            "its weights or its configuration have changed; the adapter fits the old ones only",
        )
    try:
        model: PreTrainedModel = load_base_model(folder, target.quantization, _dtype())
    except SafetensorError as error:
        raise fault(f"broken weights: {error}", folder) from None
    if adapter:
        assert target.weights is not None
        model = _with_adapter(model, target.weights)
    return model.eval().requires_grad_(False)


def _dtype() -> torch.dtype:
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _is_adapter(folder: Path) -> bool:
    if not folder.is_dir():
        raise fault("the checkpoint is gone", folder, "it was deleted meanwhile: choose another")
    if not (folder / ADAPTER_CONFIG).is_file():
        return False
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise fault(f"the adapter's weights are missing: no {ADAPTER_WEIGHTS}", folder)
    _refuse_pointer(folder / ADAPTER_WEIGHTS)
    return True


def _require_weights(folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise fault("no weights: no .safetensors file", folder, "only safetensors are loaded")
    for file in files:
        _refuse_pointer(file)


def _refuse_pointer(file: Path) -> None:
    """git-lfs leaves a text file of three lines where it has not fetched the file itself."""
    with file.open("rb") as stream:
        if stream.read(24) == b"version https://git-lfs.":
            raise fault("a git-lfs pointer, not the weights themselves", file, "run `git lfs pull`")


def _with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            adapted: PreTrainedModel = PeftModel.from_pretrained(model, folder)
        except (RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
            first = str(error).strip().partition("\n")[0]
            raise fault(f"the adapter does not fit the base model: {first}", folder) from error
    # peft only warns, and leaves such layers at their random start
    if any("missing adapter keys" in str(warning.message) for warning in said):
        raise fault("the adapter lacks weights for some of its layers", folder / ADAPTER_WEIGHTS)
    return adapted
