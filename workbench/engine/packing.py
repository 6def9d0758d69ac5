"""Whether examples may be laid end to end for a model, and with which attention: found out by trying.

Without an attention mask transformers keeps examples apart by their position ids. A model that does not would
let each example read the one before it, and nothing would say so: hence the proof before the first step.
"""

import inspect
from contextlib import suppress
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from workbench.engine.attention import PER_EXAMPLE, end_to_end

TOLERANCE = 0.05
"""Mean change of the second example's logits, in their standard deviations. Measured on 10 architectures:
kept apart 1e-7 in fp32 and up to 2e-3 in bf16, not kept apart 0.09 to 1."""

LENGTHS = (9, 7)


@torch.no_grad()
def prepare_packing(model: Any, *, own_attention: bool = False) -> bool:
    """Make `model` ready for examples laid end to end; False, and the model as it was, when it mixes them up.

    It gets the attention of `workbench.engine.attention` where that gives the logits of its own, unless it is
    to keep `own_attention`.
    """
    if "position_ids" not in inspect.signature(model.forward).parameters:
        return False
    was_training = model.training
    model.eval()
    try:
        generator = torch.Generator().manual_seed(0)
        size = (1, sum(LENGTHS))
        tokens = torch.randint(model.get_input_embeddings().num_embeddings, size, generator=generator)
        first = LENGTHS[0]
        alone = _logits(model, tokens[:, first:], torch.arange(LENGTHS[1])[None], {})
        own = model.config._attn_implementation
        if not own_attention:
            with suppress(ValueError, NotImplementedError):
                model.set_attn_implementation(PER_EXAMPLE)
                if _same(_packed(model, tokens)[:, first:], alone):
                    return True
            model.set_attn_implementation(own)
        return _same(_packed(model, tokens)[:, first:], alone)
    finally:
        model.train(was_training)


def packing_inputs(model: Any, bounds: Tensor) -> dict[str, Any]:
    """What a forward pass takes beside tokens and positions for examples that start at `bounds`."""
    if model.config._attn_implementation != PER_EXAMPLE:
        return {}
    return end_to_end(bounds.tolist(), model.device)


def _packed(model: Any, tokens: Tensor) -> Tensor:
    positions = torch.cat([torch.arange(length) for length in LENGTHS])[None]
    return _logits(model, tokens, positions, packing_inputs(model, torch.tensor([0, *accumulate(LENGTHS)])))


def _logits(model: Any, tokens: Tensor, positions: Tensor, more: dict[str, Any]) -> Tensor:
    """(1, T, V) float32."""
    device = model.device
    logits: Tensor = model(
        input_ids=tokens.to(device), position_ids=positions.to(device), use_cache=False, **more
    ).logits
    return logits.float()


def _same(logits: Tensor, expected: Tensor) -> bool:
    return bool((logits - expected).abs().mean() < TOLERANCE * expected.std())
