"""How well a model predicts the trained tokens of a micro-batch, token by token and example by example.

Two heads give the same numbers. Where Triton runs, TRL's fused head never holds the logits, which for a large
vocabulary are the biggest tensor of all. On a CPU it has no kernel and scores every position, so there the
model's own head runs on the trained positions alone: 2.3-2.6 times faster than the fused one.

Shapes: B rows, T tokens a row, C columns in which any row trains, V vocabulary, N positions, E examples.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from workbench.engine.packing import packing_inputs

IGNORED = -100
"""The label of a token that is read but not trained: transformers' and TRL's convention."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Predictions of one micro-batch, flattened to N positions.

    Attributes:
        log_probs: (N,) float32 with gradient; log-probability of the target, 0 where not trained.
        correct: (N,) bool; the target was the likeliest token, False where not trained.
        trained: (N,) bool.
        example: (N,) int64; index of the example that the position belongs to.
        examples: E, also counting examples of which nothing is trained.
    """

    log_probs: Tensor
    correct: Tensor
    trained: Tensor
    example: Tensor
    examples: int


def score(model: torch.nn.Module, inputs: Mapping[str, Any]) -> Scores:
    """Run `model` on a batch of TRL's collator and score its labels.

    Args:
        model: a causal language model, PEFT or not, that TRL's trainer has given a fused head.
        inputs: `input_ids` and `labels` (B, T); with `attention_mask` for padded rows, with `position_ids`
            and `cu_seq_lens_q` for examples end to end in one row.
    """
    labels = inputs["labels"]
    forward_inputs = {name: value for name, value in inputs.items() if name != "labels"}
    example, examples = _examples(inputs)
    if "cu_seq_lens_q" in inputs:
        forward_inputs |= packing_inputs(_causal_model(model), inputs["cu_seq_lens_q"])
    if uses_fused_head(labels.device):
        output = model(**forward_inputs, labels=labels, fused_lm_head=True, use_cache=False)
        return Scores(
            log_probs=output.log_probs.flatten(),
            correct=output.is_top1.flatten().bool(),
            trained=output.label_mask.flatten(),
            example=example.flatten(),
            examples=examples,
        )
    return _score_trained_positions(model, forward_inputs, labels[:, 1:], example, examples)


def logits_at(model: torch.nn.Module, inputs: Mapping[str, Any], columns: Tensor) -> Tensor:
    """The model's scores (B, C, V) at some positions; the others' are not computed where that can be helped.

    Args:
        inputs: what the model is called with.
        columns: (C,) int64; the positions.
    """
    if "logits_to_keep" in inspect.signature(_causal_model(model).forward).parameters:
        return model(**inputs, logits_to_keep=columns, use_cache=False).logits  # type: ignore[no-any-return]
    return model(**inputs, use_cache=False).logits[:, columns]  # type: ignore[no-any-return]


def uses_fused_head(device: torch.device) -> bool:
    """TRL's fused head has a kernel there."""
    return device.type == "cuda"


def _score_trained_positions(
    model: torch.nn.Module, inputs: Mapping[str, Any], targets: Tensor, example: Tensor, examples: int
) -> Scores:
    trained = targets != IGNORED  # (B, T-1)
    columns = trained.any(dim=0).nonzero().squeeze(-1)  # (C,)
    kept = trained[:, columns]  # (B, C)
    logits = logits_at(model, inputs, columns)  # (B, C, V)
    # Examples laid end to end are one row, of which every column is trained: no copy then
    logits = (logits[0] if len(logits) == 1 else logits[kept]).float()  # (N, V)
    targets = targets[:, columns][kept]
    return Scores(
        log_probs=-cross_entropy(logits, targets, reduction="none"),
        correct=logits.detach().argmax(dim=-1) == targets,
        trained=torch.ones_like(targets, dtype=torch.bool),
        example=example[:, columns][kept],
        examples=examples,
    )


def _examples(inputs: Mapping[str, Any]) -> tuple[Tensor, int]:
    """Which example each of the (B, T-1) targets belongs to, and how many there are."""
    shape = inputs["labels"][:, 1:].shape
    if "position_ids" in inputs:
        # A target is one place behind the token that predicts it; the first token of an example has no label
        starts = inputs["position_ids"][:, 1:] == 0
        return starts.cumsum(dim=-1), inputs["cu_seq_lens_q"].numel() - 1
    rows = torch.arange(shape[0], device=inputs["labels"].device)
    return rows[:, None].expand(shape), shape[0]


def _causal_model(model: Any) -> Any:
    """The transformers model inside a PEFT model or a wrapper of several processes, or the model itself."""
    if isinstance(model, DistributedDataParallel):
        model = model.module
    return model.get_base_model() if isinstance(model, PeftModel) else model
