"""A micro-batch cut into smaller ones between its examples, as TRL's collator would have made them.

Shapes: B rows of T tokens, padded at the right; or one row (1, T) of examples laid end to end.
"""

from typing import Any

import torch

Inputs = dict[str, Any]
"""What TRL's collator makes: `input_ids` and `labels`, with `attention_mask` or with `position_ids`, bounds
in `cu_seq_lens_q` and `_k`, `max_length_q` and `_k`, `seq_idx`."""


def count_examples(inputs: Inputs) -> int:
    """Examples of a micro-batch."""
    bounds = inputs.get("cu_seq_lens_q")
    return len(inputs["input_ids"]) if bounds is None else bounds.numel() - 1


def count_tokens(inputs: Inputs) -> int:
    """Tokens of a micro-batch, padding included: what it takes memory for."""
    return int(inputs["input_ids"].numel())


def cut(inputs: Inputs, parts: int) -> list[Inputs]:
    """`inputs` in at most so many parts with the same number of examples each, but for the last; in order."""
    count = count_examples(inputs)
    size = -(-count // parts)
    if size >= count:
        return [inputs]
    piece = _rows if "cu_seq_lens_q" not in inputs else _end_to_end
    return [piece(inputs, start, min(start + size, count)) for start in range(0, count, size)]


def _rows(inputs: Inputs, first: int, last: int) -> Inputs:
    width = int(inputs["attention_mask"][first:last].sum(dim=-1).max())
    return {name: value[first:last, :width] for name, value in inputs.items()}


def _end_to_end(inputs: Inputs, first: int, last: int) -> Inputs:
    bounds = inputs["cu_seq_lens_q"][first : last + 1]
    start, end = int(bounds[0]), int(bounds[-1])
    bounds = bounds - start
    longest = int(torch.diff(bounds).max())
    return {
        "input_ids": inputs["input_ids"][:, start:end],
        "labels": inputs["labels"][:, start:end],
        "position_ids": inputs["position_ids"][:, start:end],
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": longest,
        "max_length_k": longest,
        "seq_idx": inputs["seq_idx"][:, start:end] - first,
    }
