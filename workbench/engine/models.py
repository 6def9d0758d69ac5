"""The base model in memory, ready to be trained: its precision, its quantization, its adapter if any.

Everything that cannot work is refused here, by name, before the first step.
"""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from workbench.engine.adapters import continued_adapter, fresh_adapter
from workbench.errors import fault
from workbench.project.schema import Project
from workbench.project.training import TrainingSettings

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def load_base_model(
    folder: Path,
    quantization: str,
    dtype: torch.dtype,
    *,
    double_quantization: bool = True,
    compute_dtype: torch.dtype | None = None,
    attention: str = "auto",
) -> PreTrainedModel:
    """The weights of a base model, on the GPU when there is one.

    Args:
        folder: holds config.json and safetensors.
        quantization: `none`, `int8` or `nf4`.
        dtype: of the weights that are not quantized.
        double_quantization: nf4: the constants of the quantization are quantized too.
        compute_dtype: nf4: of the arithmetic on quantized weights; `dtype` without it.
        attention: `auto`, or as transformers calls it.

    Raises:
        WorkbenchError: the architecture is unknown, weights are missing, or cannot be quantized.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except ValueError as error:
        raise fault(
            _first_line(error), folder / "config.json", "only architectures of transformers"
        ) from error
    if quantization == "nf4" and not torch.cuda.is_available():
        _refuse_odd_widths(config)
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            quantization_config=_quantization(quantization, compute_dtype or dtype, double_quantization),
            attn_implementation=None if attention == "auto" else attention,
            device_map={"": torch.cuda.current_device()} if torch.cuda.is_available() else None,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise fault(f"the base model does not load: {_first_line(error)}", folder) from error
    if missing := sorted(report["missing_keys"]):
        raise fault(
            f"the weights lack {len(missing)} tensors, {missing[0]} among them",
            folder,
            "training would start from random numbers there",
        )
    _keep_differentiable(model)
    return model


def make_trainable(
    model: PreTrainedModel,
    settings: TrainingSettings,
    base_name: str,
    *,
    grown: bool = False,
    adapter: Path | None = None,
    resumes: bool = False,
) -> PreTrainedModel | PeftModel:
    """The model with an adapter for `method = lora`, or with all weights free for `method = full`.

    A fresh adapter's start values come from torch's global generator: seed it first.

    Args:
        base_name: what adapter_config.json names as the adapter's base model.
        grown: the vocabulary has new tokens: embeddings and head are trained as well, and saved whole.
        adapter: the folder of an adapter to go on from, in place of a fresh one.
        resumes: the weights of a checkpoint follow.

    Raises:
        WorkbenchError: the layers that the settings name are not there, or the adapter does not fit.
    """
    if settings.method == "full":
        return model
    if adapter is not None:
        return continued_adapter(model, adapter, settings, base_name, grown=grown)
    return fresh_adapter(model, settings, base_name, grown=grown, resumes=resumes)


def weight_dtype(project: Project, precision: str) -> torch.dtype:
    """Frozen weights are held in the precision of the arithmetic, trained ones in fp32, under autocast."""
    return DTYPES[precision] if project.training.method == "lora" else torch.float32


def context_length(model: nn.Module) -> int | None:
    """Most tokens the model has positions for; None where its configuration sets no limit."""
    config: Any = model.config
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """(trainable, all) parameters; a 4-bit weight counts as the numbers it stands for."""
    trainable = total = 0
    for parameter in model.parameters():
        quantized = getattr(parameter, "quant_state", None)
        size = quantized.shape.numel() if quantized is not None else parameter.numel()
        total += size
        trainable += size if parameter.requires_grad else 0
    return trainable, total


def _quantization(quantization: str, dtype: torch.dtype, double: bool) -> BitsAndBytesConfig | None:
    if quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=double,
            bnb_4bit_compute_dtype=dtype,
        )
    return BitsAndBytesConfig(load_in_8bit=True) if quantization == "int8" else None


def _keep_differentiable(model: PreTrainedModel) -> None:
    """Keep bitsandbytes from repacking 4-bit weights on a CPU with AVX512-BF16.

    It does so, for good, in the first forward pass without gradients. No gradient gets through a repacked
    layer: all training after the first validation would miss most of its gradient, without a word.
    """
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def _refuse_odd_widths(config: Any) -> None:
    """On a CPU bitsandbytes repacks 4-bit weights in blocks of 64 x 32; others end a run midway."""
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config)
    head = skeleton.get_output_embeddings()
    for name, layer in skeleton.named_modules():
        if (
            isinstance(layer, nn.Linear)
            and layer is not head
            and (layer.in_features % 64 or layer.out_features % 32)
        ):
            raise fault(
                f"nf4 on a CPU needs widths in multiples of 64 (in) and 32 (out); {name} is "
                f"{layer.in_features} to {layer.out_features}",
                "model.quantization",
                "take none or int8 for this base model",
            )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
