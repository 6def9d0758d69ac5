"""One base model, several LoRA adapters: which one each row of a batch is computed with.

peft's own way (`adapter_names`) goes through the adapters one after the other in every layer, which on a
small model makes three columns cost more than twice one. Here the adapters of a batch lie side by side: with
A = [A1; A2] and B = [s1 B1, s2 B2] a layer gives W x + B (m * A x), where m is zero for the adapters that are
not the row's. Switching to another adapter copies nothing.

Shapes: x (rows, T, in), A (rank, in), B (out, rank), where `rank` is that of all adapters together; s is the
scaling, alpha / rank or alpha / sqrt(rank).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel


class AdapterRows:
    """Takes the place of the LoRA layers' own arithmetic.

    Args:
        model: the base model, whose linear layers peft wraps once there are adapters; all are `plain`.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._now: tuple[str | None, ...] | None = None

    def use(self, names: Sequence[str | None]) -> None:
        """Compute row by row with these adapters from now on; None stands for the base model alone."""
        wanted = tuple(names)
        if wanted == self._now:
            return
        different = {*wanted}
        for layer in _lora_layers(self._model):
            (one,) = different if len(different) == 1 else (None,)
            if len(different) > 1:
                layer.forward = _side_by_side(layer, wanted)
            elif one is not None and one in layer.lora_A:
                a, b, scale = layer.lora_A[one].weight, layer.lora_B[one].weight, layer.scaling[one]
                layer.forward = partial(_with_one, layer.get_base_layer(), a, b, scale)
            else:
                layer.forward = layer.get_base_layer().forward
        self._now = wanted

    def renew(self) -> None:
        """An adapter was added or taken away: layers may be new, and none may hold what is gone."""
        self._now = None
        self.use([None])


def plain(model: PeftModel, name: str) -> bool:
    """Whether an adapter is but A and B beside linear layers: no DoRA, no biases, no layers of its own."""
    config: Any = model.peft_config[name]
    return config.peft_type == "LORA" and all(
        name in layer.lora_A and name not in layer.lora_variant and layer.lora_B[name].bias is None
        for layer in _lora_layers(model)
        if name in layer.lora_A or name in layer.lora_embedding_A
    )


def _side_by_side(layer: Any, names: tuple[str | None, ...]) -> Any:
    """The forward of a layer for rows with different adapters."""
    here = [name for name in dict.fromkeys(names) if name is not None and name in layer.lora_A]
    base = layer.get_base_layer()
    if not here:
        return base.forward
    a = torch.cat([layer.lora_A[name].weight for name in here])
    b = torch.cat([layer.scaling[name] * layer.lora_B[name].weight for name in here], dim=1)
    others = torch.tensor([[name != own for name in here for _ in range(layer.r[name])] for own in names])
    return partial(_with_several, base, a, b, others[:, None].to(a.device))


def _with_one(base: Any, a: Tensor, b: Tensor, scale: float, x: Tensor) -> Tensor:
    result: Tensor = base(x)
    if x.dtype == a.dtype == result.dtype:
        return torch.add(result, F.linear(F.linear(x, a), b), alpha=scale)
    return result + (F.linear(F.linear(x.to(a.dtype), a), b) * scale).to(result.dtype)


def _with_several(base: Any, a: Tensor, b: Tensor, others: Tensor, x: Tensor) -> Tensor:
    """`others` (rows, 1, rank): ranks of adapters that are not the row's, whose NaN must not reach it."""
    result: Tensor = base(x)
    inner = F.linear(x if x.dtype == a.dtype else x.to(a.dtype), a).masked_fill_(others, 0.0)
    own = F.linear(inner, b)
    return result + (own if own.dtype == result.dtype else own.to(result.dtype))


def _lora_layers(model: nn.Module) -> list[Any]:
    return [part for part in model.modules() if isinstance(part, LoraLayer)]
