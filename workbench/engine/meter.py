"""Sums over micro-batches, kept on the device until somebody reads them: a step never waits for them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.engine.ranks import ALONE, Ranks
from workbench.engine.scoring import Scores


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen between two readings of a `Meter`.

    Attributes:
        loss_sum: negative log-likelihood summed over the trained tokens, in nats.
        correct: trained tokens of which the likeliest prediction was the target.
        supervised_tokens: trained tokens.
        tokens: tokens read, padding left out.
        exact: examples of which every trained token was predicted.
        trained_examples: examples with at least one trained token.
        examples: all examples.
    """

    loss_sum: float
    correct: int
    supervised_tokens: int
    tokens: int
    exact: int
    trained_examples: int
    examples: int

    @property
    def loss(self) -> float:
        """Mean over the trained tokens; NaN when there were none."""
        return self.loss_sum / self.supervised_tokens if self.supervised_tokens else float("nan")

    @property
    def token_accuracy(self) -> float:
        """Share of the trained tokens that were predicted; NaN when there were none."""
        return self.correct / self.supervised_tokens if self.supervised_tokens else float("nan")

    @property
    def sequence_accuracy(self) -> float:
        """Share of the examples that were predicted whole (teacher forced); NaN when there were none."""
        return self.exact / self.trained_examples if self.trained_examples else float("nan")


Held = tuple[Tensor | None, int]


class Meter:
    """Adds up `Scores`; `read` hands the sums over all ranks over and starts again from zero."""

    def __init__(self, ranks: Ranks = ALONE) -> None:
        self._sums: Tensor | None = None
        self._examples = 0
        self._ranks = ranks

    def add(self, scores: Scores, tokens: Tensor | int) -> None:
        """Count one micro-batch of `tokens` tokens without padding; costs no device synchronisation."""
        trained, correct, example = scores.trained, scores.correct, scores.example
        counts = torch.stack([trained, trained & ~correct]).float()  # (2, N)
        seen, missed = counts.new_zeros(2, scores.examples).index_add_(1, example, counts)
        sums = torch.stack(
            [
                -scores.log_probs.detach().sum(dtype=torch.float64),
                correct.sum(),
                trained.sum(),
                torch.as_tensor(tokens, device=trained.device),
                ((seen > 0) & (missed == 0)).sum(),
                (seen > 0).sum(),
            ]
        )
        self._sums = sums if self._sums is None else self._sums + sums
        self._examples += scores.examples

    def held(self) -> Held:
        """The sums as they are, for `put_back`."""
        return self._sums, self._examples

    def put_back(self, held: Held) -> None:
        """Forget what was counted since `held`."""
        self._sums, self._examples = held

    def read(self) -> Reading:
        """The sums since the last reading; every rank reads at the same time."""
        own = [*(self._sums.tolist() if self._sums is not None else [0.0] * 6), self._examples]
        if self._ranks.several:
            own = self._ranks.sum(torch.tensor(own, dtype=torch.float64)).tolist()
        loss_sum, *counts = own
        correct, supervised, tokens, exact, trained_examples, examples = map(int, counts)
        reading = Reading(loss_sum, correct, supervised, tokens, exact, trained_examples, examples)
        self._sums, self._examples = None, 0
        return reading
