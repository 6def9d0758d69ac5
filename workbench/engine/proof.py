"""An exported model held against the model as it was trained, on the same rows, token by token."""

import math
from collections.abc import Sequence
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from workbench.data.dataset import open_dataset
from workbench.data.example import Example, Origin
from workbench.data.selection import Origins, select
from workbench.engine.generate import Session
from workbench.engine.scoring import logits_at
from workbench.evaluation.perplexity import perplexity_of
from workbench.exporting.figures import Figures
from workbench.project.schema import ChatSettings
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.encoding.encode_many import encode_supervised
from workbench.prompts.encoding.encoded import Supervised

MOST_ROWS = 64
MOST_TOKENS = 8192
MOST_BYTES = 1 << 30
"""Of the reference's logits, which wait in the host's memory while other models are loaded."""

ANSWERS = 8
GREEDY = ChatSettings(temperature=0, max_new_tokens=32)


def rows_of(project: OpenProject, most: int = MOST_ROWS) -> tuple[list[Supervised], str]:
    """Rows of a run, spread evenly over those held out, and `validation`; where none is held out, over those
    that are trained on, and `training`.

    Raises WorkbenchError: a source cannot be read.
    """
    encoder = make_encoder(project)
    dataset = open_dataset(project)
    try:
        dataset.require_readable()
        sides = select(dataset, project.settings.data).sides
        held_out = sides["validation"]
        chosen = _spread(held_out if len(held_out) else sides["train"], most)
        found = (dataset.example(origin.source, origin.row) for origin in chosen)
        encoded = encode_supervised(encoder, (each for each in found if isinstance(each, Example)))
        rows = [each for each in encoded if isinstance(each, Supervised) and any(each.mask[1:])]
    finally:
        dataset.close()
    return rows, "validation" if len(held_out) else "training"


class Comparison:
    """The reference's scores and answers, for other models to be held against.

    Args:
        encoder: the run's; it says what ends an answer.
        rows: what is scored; those beyond the limits are left out.
        model: the reference, in evaluation mode.

    Attributes:
        rows: how many are scored.
        tokens: trained tokens in them.
        perplexity: of the reference.
    """

    def __init__(self, encoder: Encoder, rows: Sequence[Supervised], model: Any) -> None:
        self._encoder = encoder
        self._scored: list[tuple[Supervised, Tensor]] = []
        self.tokens, held, loss = 0, 0, 0.0
        for row in rows:
            logits = _logits(model, row)
            held += logits.numel() * logits.element_size()
            if self._scored and (self.tokens + len(logits) > MOST_TOKENS or held > MOST_BYTES):
                break
            self._scored.append((row, logits.cpu()))
            self.tokens += len(logits)
            loss += _loss(logits, row)
        self.rows = len(self._scored)
        self.perplexity = _perplexity(loss, self.tokens)
        self._answers = self._greedy(model)

    def figures(self, way: str, model: Any) -> Figures:
        """`model` against the reference."""
        loss = divergence = largest = 0.0
        agreed = 0
        for row, held in self._scored:
            logits = _logits(model, row)
            reference = held.to(logits.device)
            theirs, ours = log_softmax(reference.double(), dim=-1), log_softmax(logits.double(), dim=-1)
            divergence += float((theirs.exp() * (theirs - ours)).sum())
            agreed += int((reference.argmax(dim=-1) == logits.argmax(dim=-1)).sum())
            largest = _larger(largest, float((reference - logits).abs().max()))
            loss += _loss(logits, row)
        answers = self._greedy(model)
        return Figures(
            way=way,
            perplexity=_perplexity(loss, self.tokens),
            kl=divergence / max(self.tokens, 1),
            agreement=agreed / max(self.tokens, 1),
            logit_difference=largest,
            same_answers=sum(mine == theirs for mine, theirs in zip(answers, self._answers, strict=True)),
            answers=len(answers),
        )

    def _greedy(self, model: Any) -> list[list[int]]:
        """Greedy answers to the prompts of the first rows."""
        session = Session(model, self._encoder)
        prompts = (list(row.ids[: row.mask.index(1)]) for row, _ in self._scored[:ANSWERS])
        return [
            session.complete(prompt, GREEDY, _unheard, Event()).ids
            for prompt in prompts
            if prompt and (session.context is None or len(prompt) < session.context)
        ]


@torch.no_grad()
def _logits(model: Any, row: Supervised) -> Tensor:
    """Scores (N, V) in fp32 from which the N trained tokens of a row are predicted."""
    device = next(model.parameters()).device
    ids = torch.from_numpy(np.frombuffer(row.ids, np.intc).astype(np.int64)).to(device)
    columns = torch.tensor(_trained(row), device=device) - 1
    return logits_at(model, {"input_ids": ids[None]}, columns)[0].float()


def _loss(logits: Tensor, row: Supervised) -> float:
    """Summed negative log-likelihood of the trained tokens."""
    targets = torch.tensor([row.ids[n] for n in _trained(row)], device=logits.device)
    return float(-log_softmax(logits.double(), dim=-1).gather(1, targets[:, None]).sum())


def _trained(row: Supervised) -> list[int]:
    """Nothing before the first token could predict it."""
    return [n for n, trained in enumerate(row.mask) if trained and n]


def _perplexity(loss: float, tokens: int) -> float:
    return perplexity_of(loss, tokens) if tokens else math.nan


def _larger(a: float, b: float) -> float:
    """NaN wins."""
    return b if b > a or b != b else a


def _spread(origins: Origins, most: int) -> list[Origin]:
    count = min(most, len(origins))
    return [origins[n * len(origins) // count] for n in range(count)]


def _unheard(text: str) -> None:
    """Answers are compared as tokens."""
