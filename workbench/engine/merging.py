"""An adapter merged into its base model: W + s B A, layer by layer in fp32, whatever W is stored in.

W is that of the base model's files, or the one that a quantized run was trained on: quantized and put back
into plain numbers. Only the latter is what the adapter learnt to correct (QLoRA, arXiv 2305.14314).
"""

import warnings
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from transformers import PreTrainedModel

from workbench.chat.protocol import Target
from workbench.engine.chat_model import live_dtype, with_adapter
from workbench.engine.models import DTYPES, load_base_model
from workbench.errors import fault
from workbench.exporting.request import Way
from workbench.project.weights import safetensors_header


def merged_model(target: Target, folder: Path, way: Way, dtype: torch.dtype) -> PreTrainedModel:
    """The weights of a checkpoint as one plain model in `dtype`, in evaluation mode.

    Args:
        target: the checkpoint.
        folder: its base model; for `whole` the checkpoint itself.
        way: which weights the adapter is merged into.

    Raises:
        WorkbenchError: base model and adapter do not fit, or the merged weights are not finite.
    """
    if way == "dequantised":
        quantized = load_base_model(
            folder,
            target.quantization,
            live_dtype(),
            double_quantization=target.double_quantization,
        )
        base = quantized.dequantize()
    else:
        base = load_base_model(folder, "none", stored_dtype(folder))
    if way != "whole":
        assert target.weights is not None
        base = _merged(with_adapter(base, target.weights), dtype)
    model: PreTrainedModel = base.to(dtype)
    _untie(model)
    if broken := next((name for name, each in model.named_parameters() if not each.isfinite().all()), None):
        raise fault(f"the weights are not finite: {broken}", target.label, "take another checkpoint, or fp32")
    return model.eval().requires_grad_(False)


def stored_dtype(folder: Path) -> torch.dtype:
    """The widest type in the safetensors of a model's folder."""
    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        header = safetensors_header(file)[1]
        stored |= {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
    names = {"BF16": "bf16", "F16": "fp16"}
    return DTYPES[names[stored.pop()]] if len(stored) == 1 and stored <= names.keys() else torch.float32


def _merged(model: PeftModel, dtype: torch.dtype) -> PreTrainedModel:
    """Layer by layer, so that only one of them is in memory in fp32, and rounded once."""
    with warnings.catch_warnings(), torch.no_grad():
        # Merged already, it says in the end; tied layers are written as what they are
        warnings.simplefilter("ignore")
        for part in model.modules():
            if isinstance(part, LoraLayer):
                layer = part.get_base_layer()
                layer.weight.data = layer.weight.data.float()
                part.merge()
                layer.weight.data = layer.weight.data.to(dtype)
        merged: PreTrainedModel = model.merge_and_unload()
    return merged


def _untie(model: PreTrainedModel) -> None:
    """Embeddings and head that were trained apart are no longer one."""
    head = model.get_output_embeddings()
    if head is not None and not torch.equal(head.weight, model.get_input_embeddings().weight):
        model.config.get_text_config().tie_word_embeddings = False
