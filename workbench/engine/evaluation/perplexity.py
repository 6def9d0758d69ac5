"""How likely the references are: negative log-likelihoods of the scored tokens of many rows.

Rows of like length are computed together, tokens that all begin with are computed once, and the head runs on
the positions that predict a scored token, so that no other logits are ever there.

Shapes: B rows of a batch, P tokens of the shared prefix, L tokens after it, N scored tokens, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from workbench.engine.evaluation.batches import in_batches, padded
from workbench.engine.evaluation.prefix import LEAST, SharedPrefix, common, divided, shareable

HOST_TOKENS, GPU_TOKENS = 1024, 16384
"""Tokens of a batch. A processor is fastest with few: more do not
stay in its caches: 1024 were 1.3 times as fast as 4096."""
MOST_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class ToScore:
    """A row as a model reads it.

    Attributes:
        number: the caller's.
        ids: T token ids.
        mask: T; 1 where the token is scored. The first token never is: nothing predicts it.
        shares: it may begin as the others do.
    """

    number: int
    ids: Sequence[int]
    mask: Sequence[int]
    shares: bool = True


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says to a row.

    Attributes:
        number: of `ToScore`.
        nll: negative log-likelihood of its scored tokens, summed, in nats.
        tokens: how many are scored.
        correct: how many of them are the likeliest at their place.
        skipped: why there is no figure; empty where there is one.
    """

    number: int
    nll: float
    tokens: int
    correct: int
    skipped: str = ""


@torch.no_grad()
def score_rows(
    model: PreTrainedModel,
    rows: Sequence[ToScore],
    emit: Callable[[list[Scored]], None],
    *,
    tokens: int | None = None,
    share: bool = True,
) -> None:
    """Score every row.

    Args:
        model: in evaluation mode.
        rows: at least one token of each is scored.
        emit: given the rows of a batch as they are done; may raise to end it.
        tokens: of a batch, padding included; by the device without it.
        share: compute what rows begin with in common once; without it every row is read whole.
    """
    budget = tokens or (GPU_TOKENS if next(model.parameters()).device.type == "cuda" else HOST_TOKENS)
    sharing, alone = divided(rows) if share and shareable(model) else ([], list(rows))
    for group, length in ((sharing, _shared(sharing)), (alone, 0)):
        if not group:
            continue
        prefix = SharedPrefix(model, group[0].ids[:length]) if length else None

        def work(batch: list[ToScore], prefix: SharedPrefix | None = prefix) -> None:
            emit(_score(model, batch, prefix))

        in_batches(
            group,
            lambda row, length=length: len(row.ids) - length,  # type: ignore[misc]
            budget,
            MOST_ROWS,
            work,
            lambda row, why: emit([Scored(row.number, 0.0, 0, 0, why)]),
        )


def _shared(rows: Sequence[ToScore]) -> int:
    """Tokens to compute once: the one before the first scored token is left to each row, to predict it."""
    if len(rows) < 2:
        return 0
    length = min(common([row.ids for row in rows]), *(row.mask.index(1) - 1 for row in rows))
    return length if length >= LEAST else 0


def _score(model: PreTrainedModel, batch: Sequence[ToScore], prefix: SharedPrefix | None) -> list[Scored]:
    start = prefix.length if prefix else 0
    device = next(model.parameters()).device
    width = max(len(row.ids) for row in batch) - start
    ids = torch.tensor([*padded([row.ids[start:] for row in batch], width)], device=device)  # (B, L)
    real = [[1] * (len(row.ids) - start) for row in batch]
    there = torch.tensor([*padded(real, width)], device=device)  # (B, L)
    # Position i predicts token i + 1
    predicted = [list(row.mask[start + 1 :]) for row in batch]
    keep = torch.tensor([*padded(predicted, width)], device=device).bool()  # (B, L)
    inputs: dict[str, Any] = {"input_ids": ids, "use_cache": prefix is not None}
    if prefix:
        inputs["past_key_values"] = prefix.cache(len(batch))
        there = torch.cat([there.new_ones(len(batch), start), there], dim=1)  # (B, P + L)
    if not bool(there.all()):
        inputs["attention_mask"] = there
    logits = _logits(model, inputs, keep)  # (N, V)
    targets = ids[:, 1:][keep[:, :-1]]  # (N,)
    row = keep.nonzero()[:, 0]
    losses = cross_entropy(logits, targets, reduction="none").double()
    right = (logits.argmax(-1) == targets).double()
    zeros = losses.new_zeros(len(batch))
    sums = [zeros.index_add(0, row, each).tolist() for each in (losses, right)]
    counts = keep.sum(dim=1).tolist()
    return [
        Scored(each.number, nll, count, int(correct))
        for each, nll, correct, count in zip(batch, *sums, counts, strict=True)
    ]


def _logits(model: PreTrainedModel, inputs: dict[str, Any], keep: Tensor) -> Tensor:
    """float32 logits (N, V) of the positions in `keep` (B, L), as the model's own head makes them."""
    with _head_on(model, keep):
        logits: Tensor = model(**inputs).logits
    return logits[0].float()


@contextmanager
def _head_on(model: PreTrainedModel, keep: Tensor) -> Iterator[None]:
    """The head of `model` gets hidden states (1, N, width) in place of (B, L, width).

    What a model does with logits after its head, such as a cap or a scale, it does to each by itself.
    """
    head = model.get_output_embeddings()
    taken = head.register_forward_pre_hook(lambda _, args: (args[0][keep].unsqueeze(0), *args[1:]))
    try:
        yield
    finally:
        taken.remove()
