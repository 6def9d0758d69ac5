"""Which rows each rank trains on: together, in every step, those that one process with the sum of their
micro-batches would take. transformers' own sharding repeats rows where an epoch does not divide evenly.
"""

from collections.abc import Callable, Iterator
from typing import Any

from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset

from workbench.engine.ranks import Ranks
from workbench.engine.scoring import IGNORED

FILLER_TOKENS = 2


class RankBatches(BatchSampler):
    """Micro-batches of one rank.

    Each `world_size * size` rows that follow each other in the order of one process are a round, of which
    every rank takes an equal piece. In the last round of an epoch pieces are smaller, some may be empty.

    Args:
        rows: how many there are.
        size: rows of a micro-batch.
        data_seed: of the order.
    """

    def __init__(self, rows: int, size: int, ranks: Ranks, data_seed: int) -> None:
        self.batch_size = size
        self.drop_last = False
        # As accelerate makes it for one process
        self.sampler = self._order = SeedableRandomSampler(range(rows), data_seed=data_seed)
        self._rows = rows
        self._ranks = ranks

    def __len__(self) -> int:
        return -(-self._rows // (self.batch_size * self._ranks.world_size))

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self._order)
        rank, world = self._ranks.rank, self._ranks.world_size
        for start in range(0, len(order), self.batch_size * world):
            together = order[start : start + self.batch_size * world]
            piece = -(-len(together) // world)
            yield together[rank * piece : (rank + 1) * piece]

    def set_epoch(self, epoch: int) -> None:
        """Called by transformers before each pass."""
        self._order.set_epoch(epoch)


class RankLoader(DataLoader):  # type: ignore[type-arg]
    """The micro-batches of a rank; an empty piece becomes a filler, of which nothing is trained."""

    def __init__(
        self, rows: "Dataset[Any]", batches: RankBatches, collate: Callable[[list[Any]], Any], pin: bool
    ) -> None:
        super().__init__(
            _Rows(rows),
            batch_sampler=batches,
            collate_fn=lambda found: collate(found or [_filler()]),
            pin_memory=pin,
        )

    def set_epoch(self, epoch: int) -> None:
        """Called by transformers before each pass."""
        assert isinstance(self.batch_sampler, RankBatches)
        self.batch_sampler.set_epoch(epoch)


class _Rows(Dataset[Any]):
    """`datasets` cannot give an empty list of rows."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitems__(self, numbers: list[int]) -> list[Any]:
        return list(self._rows.__getitems__(numbers)) if numbers else []


def is_filler(inputs: dict[str, Any]) -> bool:
    """Whether a micro-batch stands for no row at all. Only looks at the values of one that could be it."""
    labels = inputs["labels"]
    return labels.numel() == FILLER_TOKENS and bool((labels == IGNORED).all())


def _filler() -> dict[str, Any]:
    return {"input_ids": [0] * FILLER_TOKENS, "labels": [IGNORED] * FILLER_TOKENS}
