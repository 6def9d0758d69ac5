"""Tokens that many rows begin with, such as few-shot examples or a system message: computed once.

Keys and values of a position depend on the tokens up to it and on nothing else, so rows that begin alike can
share them. The arithmetic is the same in another order: in fp32 a row's log-likelihood moves by some 1e-6 of
itself.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

LEAST = 16
"""Fewer tokens are not worth a forward pass of their own."""


class SharedPrefix:
    """Keys and values of the first `length` tokens of rows.

    Args:
        model: in evaluation mode; `shareable`.
        ids: the tokens.
    """

    def __init__(self, model: PreTrainedModel, ids: Sequence[int]) -> None:
        self.length = len(ids)
        self._config = model.config
        cache = DynamicCache(config=model.config)
        device = next(model.parameters()).device
        last = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}
        model(input_ids=torch.tensor([ids], device=device), past_key_values=cache, use_cache=True, **last)
        self._layers = [(layer.keys, layer.values) for layer in cache.layers]

    def cache(self, rows: int) -> DynamicCache:
        """A cache for a batch, which may be written on; nothing is copied before that."""
        cache = DynamicCache(config=self._config)
        for layer, (keys, values) in zip(cache.layers, self._layers, strict=True):
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = (part.expand(rows, -1, -1, -1) for part in (keys, values))
        return cache


def shareable(model: PreTrainedModel) -> bool:
    """Every layer keeps all positions: no sliding window, no state that runs along."""
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)


class Sharing(Protocol):
    """A row that may begin as others do."""

    @property
    def ids(self) -> Sequence[int]: ...

    @property
    def shares(self) -> bool: ...


_Row = TypeVar("_Row", bound=Sharing)


def divided(rows: Sequence[_Row]) -> tuple[list[_Row], list[_Row]]:
    """Rows that begin with the same `LEAST` tokens as most of those that may, and the others."""
    heads = [tuple(row.ids[:LEAST]) if row.shares else None for row in rows]
    most = Counter(head for head in heads if head).most_common(1)
    same = [bool(most) and head == most[0][0] for head in heads]
    alone = [row for row, one in zip(rows, same, strict=True) if not one]
    return [row for row, one in zip(rows, same, strict=True) if one], alone


def common(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with."""
    if not rows:
        return 0
    # What the least and the greatest have in common, all between them have too
    low, high = min(rows, key=list), max(rows, key=list)
    short = min(len(low), len(high))
    return next((i for i in range(short) if low[i] != high[i]), short)
