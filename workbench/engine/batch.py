"""Answers that are written together: one forward pass gives each its next scores.

Each prompt is read by itself. Then the kept keys and values are laid over each other, the shorter ones padded
on the left, where a mask hides the padding. Shapes: keys and values (rows, heads, T, width).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from workbench.engine.adapter_rows import AdapterRows
from workbench.engine.writing import Writing
from workbench.errors import WorkbenchError

Kept = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer."""


class Voice:
    """A model as one target speaks with it.

    Args:
        model: in evaluation mode.
        adapter: of the adapters that `rows` has; None for the base model.
        rows: chooses the adapter; None for a model that has one for good, or none.
    """

    def __init__(
        self, model: PreTrainedModel, adapter: str | None = None, rows: AdapterRows | None = None
    ) -> None:
        self.model, self.adapter, self.rows = model, adapter, rows
        # Scores of the last position alone: the whole prompt's are prompt x vocabulary numbers
        self.last_only = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}


@dataclass(frozen=True, slots=True)
class Start:
    """An answer whose prompt is read.

    Attributes:
        number: whose, among those that were asked for together.
        writing: the answer.
        voice: who speaks.
        scores: after the prompt, [1, vocabulary].
        cache: of the prompt alone; a batch of one goes on in it.
        kept: what is in the cache now; None where caches cannot be laid over each other.
    """

    number: int
    writing: Writing
    voice: Voice
    scores: Tensor
    cache: DynamicCache
    kept: Kept | None


def forward(voices: Sequence[Voice], ids: Tensor, cache: DynamicCache, **more: Tensor) -> Tensor:
    """Scores [rows, vocabulary] after the tokens [rows, T], which the cache takes in."""
    model, rows = voices[0].model, voices[0].rows
    if rows is not None:
        rows.use([voice.adapter for voice in voices])
    output = model(input_ids=ids, past_key_values=cache, use_cache=True, **voices[0].last_only, **more)
    scores: Tensor = output.logits[:, -1]
    return scores


def keep(cache: DynamicCache) -> Kept | None:
    """What a cache holds. None: some layer does not keep all keys (sliding windows, recurrent states)."""
    if any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    return [(layer.keys, layer.values) for layer in cache.layers]


def batches(starts: Sequence[Start]) -> "list[Batch]":
    """As few batches as can be: one for each model, where its caches can be laid over each other."""
    together: dict[int, list[Start]] = {}
    for start in starts:
        model = start.voice.model
        joins = start.kept is not None and "position_ids" in signature(model.forward).parameters
        together.setdefault(id(model) if joins else id(start), []).append(start)
    return [Batch(group) for group in together.values()]


class Batch:
    """Answers of one model that go on token by token.

    Args:
        starts: at least one; several have `kept` all of them.
    """

    def __init__(self, starts: Sequence[Start]) -> None:
        self._rows = [(start.number, start.writing, start.voice) for start in starts]
        self._scores = torch.cat([start.scores for start in starts])
        self._mask: Tensor | None = None
        self._cache = starts[0].cache
        if len(starts) > 1:
            self._join([start.kept for start in starts if start.kept is not None])

    @property
    def open(self) -> list[tuple[int, Writing]]:
        """The answers that go on, by number."""
        return [(number, writing) for number, writing, _ in self._rows]

    def step(self) -> Iterator[tuple[int, Writing | WorkbenchError]]:
        """One token for each answer. Gives those that end with it, and what went wrong with one."""
        goes_on = []
        highest, likeliest = (each.tolist() for each in self._scores.max(dim=-1))
        for row, (number, writing, _) in enumerate(self._rows):
            try:
                if writing.take(self._scores[row : row + 1], highest[row], likeliest[row]):
                    goes_on.append(row)
                    continue
            except WorkbenchError as error:
                yield number, error
                continue
            yield number, writing
        if len(goes_on) < len(self._rows):
            self._select(goes_on)
        if self._rows:
            self._scores = self._next_scores()

    def _join(self, kept: Sequence[Kept]) -> None:
        lengths = [each[0][0].shape[-2] for each in kept]
        longest = max(lengths)
        self._cache = DynamicCache()
        for layer, parts in enumerate(zip(*kept, strict=True)):
            keys, values = (
                torch.cat([F.pad(part[side], (0, 0, longest - part[side].shape[-2], 0)) for part in parts])
                for side in (0, 1)
            )
            self._cache.update(keys, values, layer)
        if min(lengths) < longest:
            device = kept[0][0][0].device
            columns = torch.arange(longest, device=device)
            self._mask = (columns >= longest - torch.tensor(lengths, device=device)[:, None]).long()

    def _select(self, rows: list[int]) -> None:
        self._rows = [self._rows[row] for row in rows]
        if rows:
            indices = torch.tensor(rows, device=self._scores.device)
            self._cache.batch_select_indices(indices)
            self._mask = None if self._mask is None else self._mask[indices]

    def _next_scores(self) -> Tensor:
        device = self._scores.device
        ids = torch.tensor([[writing.last] for _, writing, _ in self._rows], device=device)
        more: dict[str, Any] = {}
        if self._mask is not None:
            self._mask = F.pad(self._mask, (0, 1), value=1)
            more = {"attention_mask": self._mask, "position_ids": self._mask.sum(1, keepdim=True) - 1}
        return forward([voice for _, _, voice in self._rows], ids, self._cache, **more)
