"""Rows of like length into batches, and smaller ones when memory runs out."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from workbench.engine.reasons import out_of_memory

T = TypeVar("T")


class Stopped(Exception):
    """Somebody asked the evaluation to end."""


def in_batches(
    items: Sequence[T],
    size: Callable[[T], int],
    budget: int,
    most: int,
    work: Callable[[list[T]], None],
    give_up: Callable[[T, str], None],
) -> None:
    """Do `work` on all items, those of like size together, the largest first: what does not fit shows early.

    A batch that runs out of memory is halved, and so are all that follow.

    Args:
        items: in any order.
        size: tokens of one.
        budget: tokens of a batch, padding included; one item alone may be larger.
        most: items of a batch.
        work: raises what torch raises where memory runs out; what it has finished by then it must know.
        give_up: told of an item that does not fit by itself, and why.
    """
    waiting = sorted(items, key=size, reverse=True)
    while waiting:
        count = max(1, min(most, budget // max(1, size(waiting[0])), len(waiting)))
        batch = waiting[:count]
        try:
            work(batch)
        except Exception as error:
            if not out_of_memory(error):
                raise
        else:
            waiting = waiting[count:]
            continue
        _give_back()
        if count == 1:
            give_up(batch[0], f"out of memory: {size(batch[0])} tokens")
            waiting = waiting[1:]
        else:
            most = count // 2


def padded(rows: Sequence[Sequence[int]], width: int, *, left: bool = False) -> Iterator[list[int]]:
    """Each row with zeros up to `width`, behind it or before it."""
    for row in rows:
        pad = [0] * (width - len(row))
        yield [*pad, *row] if left else [*row, *pad]


def _give_back() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
