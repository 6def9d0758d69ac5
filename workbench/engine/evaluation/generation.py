"""Answers to many prompts at once, each as if it were alone.

Prompts of like length stand in one batch, padded on the left; what all begin with is computed once, and a row
that ends leaves the batch. Every row draws with a seed of its own, so that its answer does not depend on its
neighbours beyond the last bits of the arithmetic.

Shapes: B rows of a batch, P tokens of the shared prefix, L tokens after it, V vocabulary.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from workbench.chat.protocol import EndReason
from workbench.engine.evaluation.batches import in_batches, padded
from workbench.engine.evaluation.prefix import LEAST, SharedPrefix, common, divided, shareable
from workbench.engine.generate import stop_ids
from workbench.engine.models import context_length
from workbench.engine.sampling import Sampler
from workbench.engine.text_stream import TextStream
from workbench.errors import WorkbenchError
from workbench.project.sampling import Sampling
from workbench.prompts.encoding.encode import Encoder

HOST_TOKENS, GPU_TOKENS = 16384, 131072
"""Tokens of a batch, prompts and longest answers together: their keys and values stay in memory."""
MOST_ROWS = 64


@dataclass(frozen=True, slots=True, eq=False)
class ToAnswer:
    """A prompt.

    Attributes:
        number: the caller's.
        ids: its token ids.
        seed: added to the seed of the settings: the same for the same row, whatever stands beside it.
        shares: it may begin as the others do.
    """

    number: int
    ids: Sequence[int]
    seed: int
    shares: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model wrote.

    Attributes:
        number: of `ToAnswer`.
        text: without prompt, special tokens and stop text.
        tokens: generated, a stop token among them.
        ended: why it ended; empty where `skipped` says why there is no answer.
        skipped: why there is none.
    """

    number: int
    text: str
    tokens: int
    ended: EndReason | str
    skipped: str = ""


Emit = Callable[[list[Answered]], None]


@torch.no_grad()
def answer_rows(
    model: PreTrainedModel,
    encoder: Encoder,
    rows: Sequence[ToAnswer],
    settings: Sampling,
    emit: Emit,
    tick: Callable[[], None] = lambda: None,
    *,
    tokens: int | None = None,
) -> None:
    """Answer every prompt.

    Args:
        model: in evaluation mode.
        encoder: the model's; its end-of-turn mark ends an answer.
        rows: prompts that leave room for an answer.
        settings: how tokens are drawn, and when to end.
        emit: given rows as they end.
        tick: called before every token of a batch; may raise to end it all.
        tokens: of a batch, as `HOST_TOKENS`; by the device without it.
    """
    budget = tokens or (GPU_TOKENS if next(model.parameters()).device.type == "cuda" else HOST_TOKENS)
    most = MOST_ROWS if _pads(model) else 1
    done: set[int] = set()

    def told(answers: list[Answered]) -> None:
        done.update(answer.number for answer in answers)
        emit(answers)

    for group, length in _groups(rows, shareable(model) and most > 1):
        prefix = SharedPrefix(model, group[0].ids[:length]) if length else None

        def work(batch: list[ToAnswer], prefix: SharedPrefix | None = prefix) -> None:
            # After a want of memory those that had ended by then are not answered again
            if left := [row for row in batch if row.number not in done]:
                _Batch(model, encoder, left, settings, prefix).run(told, tick)

        in_batches(
            group,
            lambda row: len(row.ids) + settings.max_new_tokens,
            budget,
            most,
            work,
            lambda row, why: told([Answered(row.number, "", 0, "", why)]),
        )


class _Row:
    """One answer while it is written."""

    def __init__(
        self, ask: ToAnswer, encoder: Encoder, settings: Sampling, ends: frozenset[int], device: torch.device
    ) -> None:
        self.number = ask.number
        own = settings.model_copy(update={"seed": (settings.seed + ask.seed) % 2**32})
        self.sampler = Sampler(own, len(ask.ids), device, ends)
        self._stream = TextStream(encoder.tokenizer, ask.ids, (*settings.stop, *encoder.stop_texts))
        self._ids = torch.tensor([list(ask.ids)], device=device)
        self._settings = settings
        self._ends = ends
        self._pieces: list[str] = []
        self._tokens = 0
        self._length = len(ask.ids)

    def draw(self, scores: Tensor) -> int:
        """The next token, from the scores [1, V]. Raises WorkbenchError: they are not numbers."""
        token = self.sampler.draw(self._ids, scores)
        self._ids = torch.cat([self._ids, self._ids.new_tensor([[token]])], dim=1)
        return token

    def take(self, token: int, context: int | None) -> Answered | None:
        """Take a token in; the answer, where that was its last."""
        self._tokens += 1
        ended: EndReason | None = None
        if token in self._ends:
            ended = "stop token"
        else:
            self._pieces.append(self._stream.add(token))
            if self._stream.stopped:
                ended = "stop text"
            elif self._tokens >= self._settings.max_new_tokens:
                ended = "length"
            elif context is not None and self._length + self._tokens >= context:
                ended = "context full"
        if ended is None:
            return None
        if not self._stream.stopped:
            self._pieces.append(self._stream.end())
            if self._stream.stopped:
                ended = "stop text"
        return Answered(self.number, "".join(self._pieces), self._tokens, ended)


class _Batch:
    """Some prompts that are answered together."""

    def __init__(
        self,
        model: PreTrainedModel,
        encoder: Encoder,
        asks: Sequence[ToAnswer],
        settings: Sampling,
        prefix: SharedPrefix | None,
    ) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        self._context = context_length(model)
        self._last = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}
        ends = frozenset(stop_ids(model, encoder))
        self._rows = [_Row(ask, encoder, settings, ends, self._device) for ask in asks]
        start = prefix.length if prefix else 0
        rest = [list(ask.ids[start:]) for ask in asks]
        width = max(map(len, rest))
        self._ids = torch.tensor([*padded(rest, width, left=True)], device=self._device)  # (B, L)
        there = [*padded([[1] * len(row) for row in rest], width, left=True)]
        self._there = torch.tensor(there, device=self._device)  # (B, P + L), and what is generated
        # A pad stands at position 0, where nobody looks at it
        self._places = (start + self._there.cumsum(dim=1) - 1).clamp(min=0)  # (B, L)
        if prefix:
            ones = self._there.new_ones(len(asks), start)
            self._there = torch.cat([ones, self._there], dim=1)
        self._cache = prefix.cache(len(asks)) if prefix else None
        self._padded = _pads(model)

    def run(self, emit: Emit, tick: Callable[[], None]) -> None:
        """Until all have ended."""
        while self._rows:
            tick()
            scores = self._forward()
            tokens, ended, left = self._drawn(scores)
            if ended:
                emit(ended)
                self._keep(left)
            if left:
                self._ids = torch.tensor([[tokens[i]] for i in left], device=self._device)
                self._there = torch.cat([self._there, self._there.new_ones(len(left), 1)], dim=1)
                self._places = self._places[:, -1:] + 1

    def _forward(self) -> Tensor:
        """Scores [B, V] after what each row has so far."""
        inputs: dict[str, Any] = {"input_ids": self._ids, "past_key_values": self._cache, "use_cache": True}
        if self._padded:
            inputs |= {"attention_mask": self._there, "position_ids": self._places}
        output = self._model(**inputs, **self._last)
        self._cache = output.past_key_values
        scores: Tensor = output.logits[:, -1]
        return scores

    def _drawn(self, scores: Tensor) -> tuple[dict[int, int], list[Answered], list[int]]:
        """The token of each row, the answers that have ended, and the places of the rows that go on."""
        tokens: dict[int, int] = {}
        ended: list[Answered] = []
        left: list[int] = []
        quick = _likeliest(scores) if all(row.sampler.takes_likeliest for row in self._rows) else None
        for place, row in enumerate(self._rows):
            try:
                tokens[place] = quick[place] if quick else row.draw(scores[place : place + 1])
            except WorkbenchError as error:
                ended.append(Answered(row.number, "", 0, "", str(error)))
                continue
            answer = row.take(tokens[place], self._context)
            if answer is None:
                left.append(place)
            else:
                ended.append(answer)
        return tokens, ended, left

    def _keep(self, left: Sequence[int]) -> None:
        """The rows that ended leave the batch."""
        self._rows = [self._rows[place] for place in left]
        if not left:
            return
        places = torch.tensor(left, device=self._device)
        self._there, self._places = self._there[places], self._places[places]
        if self._cache is not None:
            self._cache.batch_select_indices(places)


def _likeliest(scores: Tensor) -> list[int] | None:
    """The likeliest token of each row; None where scores are not numbers, and each row must say so."""
    best, tokens = scores.float().max(dim=-1)
    if not bool(torch.isfinite(best).all()):
        return None
    likeliest: list[int] = tokens.tolist()
    return likeliest


def _groups(rows: Sequence[ToAnswer], share: bool) -> list[tuple[list[ToAnswer], int]]:
    """Rows with the number of tokens that they begin with in common, and the others with 0."""
    sharing, alone = divided(rows) if share else ([], list(rows))
    # The last token of a prompt is left to each row: its scores are needed
    length = common([row.ids[:-1] for row in sharing])
    if len(sharing) < 2 or length < LEAST:
        sharing, alone, length = [], list(rows), 0
    return [(group, shared) for group, shared in ((sharing, length), (alone, 0)) if group]


def _pads(model: PreTrainedModel) -> bool:
    """Rows of unlike length can stand in one batch: positions are told, and pads can be left out of sight."""
    known = inspect.signature(getattr(model, "get_base_model", lambda: model)().forward).parameters
    return {"position_ids", "attention_mask"} <= known.keys()
