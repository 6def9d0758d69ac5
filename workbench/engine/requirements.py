"""What a lever needs of this machine: refused by name before any row is read; a word where it falls back."""

import importlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from workbench.errors import fault
from workbench.project.schema import Project


def require_machine(project: Project, base_folder: Path, arithmetic: str) -> None:
    """Refuse what this machine, or what is installed on it, cannot do.

    Args:
        base_folder: the base model's, for its architecture.
        arithmetic: `bf16`, `fp16` or `fp32`, as `arguments.precision` gives it.

    Raises:
        WorkbenchError: names the setting and what is missing.
    """
    training, model = project.training, project.model
    gpu = torch.cuda.is_available()
    if model.attn_implementation == "flash_attention_2":
        _require_flash_attention(gpu, arithmetic)
    if training.use_liger_kernel:
        _require_liger(gpu, base_folder)
    if training.use_dora and model.quantization == "int8" and not gpu:
        # bitsandbytes loses the scales of int8 weights when peft reads them beside the forward pass
        raise fault(
            "DoRA on int8 weights does not work on a CPU",
            "training.use_dora",
            "set model.quantization to none or nf4, or use_dora = false",
        )
    if training.torch_compile:
        _require_compiler()


def fallbacks(project: Project) -> Iterator[str]:
    """What works here as something else than it says."""
    optim = project.training.optim
    if optim.startswith("paged_") and not torch.cuda.is_available():
        yield f"optim = {optim}: without a GPU nothing is paged, it works as {optim.removeprefix('paged_')}"


def _require_flash_attention(gpu: bool, arithmetic: str) -> None:
    where, hint = "model.attn_implementation", "take auto, which is SDPA"
    if not gpu:
        raise fault("flash_attention_2 needs a GPU", where, hint)
    if importlib.util.find_spec("flash_attn") is None:
        raise fault("flash_attention_2 needs the package flash-attn", where, f"install it, or {hint}")
    if arithmetic == "fp32":
        raise fault("flash_attention_2 computes in bf16 or fp16 only", where, hint)


def _require_liger(gpu: bool, base_folder: Path) -> None:
    where, hint = "training.use_liger_kernel", "leave it out"
    if not gpu:
        raise fault("Liger's kernels need a GPU", where, hint)
    if importlib.util.find_spec("liger_kernel") is None:
        raise fault("use_liger_kernel needs the package liger-kernel", where, f"install it, or {hint}")
    known = importlib.import_module("liger_kernel.transformers.monkey_patch").MODEL_TYPE_TO_APPLY_LIGER_FN
    kind = json.loads((base_folder / "config.json").read_bytes()).get("model_type")
    if kind not in known:
        raise fault(f"Liger has no kernels for the architecture {kind}", where, hint)


def _require_compiler() -> None:
    """Compile one addition: torch finds out only then whether there is a compiler that works."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(1))
    except Exception as error:  # of torch, Triton, the compiler or the linker
        reason = str(error).strip().partition("\n")[0]
        raise fault(
            f"torch.compile does not work here: {type(error).__name__}: {reason}",
            "training.torch_compile",
            "a CPU needs g++ or clang, a GPU Triton; or set it to false",
        ) from error
