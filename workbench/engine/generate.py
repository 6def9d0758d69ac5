"""Answers of one model, token by token, with the work on the prompt kept from turn to turn.

The prompt is computed in blocks of `BLOCK` tokens from its start, and only whole blocks of prompts are kept:
a block's numbers then depend on the tokens up to its end and on nothing else, so an answer is the same to the
bit whether the blocks before it were kept or computed anew. Keeping generated tokens too would save a little
more and break that promise, most of all in bf16.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import torch
from transformers import DynamicCache, PreTrainedModel

from workbench.chat.protocol import EndReason
from workbench.data.example import Message
from workbench.engine.models import context_length
from workbench.engine.sampling import Sampler
from workbench.engine.text_stream import TextStream
from workbench.errors import fault
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder

BLOCK = 256
"""Tokens of the prompt computed at once: enough to keep a GPU busy, few enough to stop in between."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an answer ended; its fields are those of `chat.protocol.Done`."""

    reason: EndReason
    ids: list[int]
    prompt_tokens: int
    reused_tokens: int
    first_token_seconds: float
    tokens_per_second: float


class Session:
    """One model with one template, and the cache of its last prompt.

    Args:
        model: in evaluation mode, with an adapter or without.
        encoder: turns a conversation into its prompt.
    """

    def __init__(self, model: PreTrainedModel, encoder: Encoder) -> None:
        self.model = model
        self.encoder = encoder
        self.context = context_length(model)
        self._device = next(model.parameters()).device
        self._vocabulary = self.model.get_input_embeddings().num_embeddings
        self._stop_ids = stop_ids(model, encoder)
        # Scores of the last position alone: the whole prompt's are prompt x vocabulary numbers
        self._last_only = {"logits_to_keep": 1} if self.model._supports_logits_to_keep() else {}
        self._cache = self._new_cache()
        self._cached: list[int] = []

    def answer(
        self,
        messages: Sequence[Message],
        settings: ChatSettings,
        emit: Callable[[str], None],
        stop: Event,
    ) -> Answer:
        """Answer a conversation.

        Args:
            messages: the last one is the user's.
            settings: how tokens are drawn, and when to end.
            emit: called with every piece of text, in order, from this thread.
            stop: ends the answer at the next token, or at the next block of the prompt.

        Raises WorkbenchError: the template refuses the conversation, it does not fit the context, or the
        scores are not numbers.
        """
        if settings.system and not any(message.role == "system" for message in messages):
            messages = [Message("system", settings.system), *messages]
        return self.complete(self.encoder.prompt(messages)[0], settings, emit, stop)

    # No inference mode: a training may go on with what a forward pass leaves behind in the model
    @torch.no_grad()
    def complete(
        self, prompt: list[int], settings: ChatSettings, emit: Callable[[str], None], stop: Event
    ) -> Answer:
        """Go on from the tokens of a prompt; as `answer` in all else."""
        started = time.perf_counter()
        self._require_room(prompt)
        stream = TextStream(self.encoder.tokenizer, prompt, (*settings.stop, *self.encoder.stop_texts))
        sampler = Sampler(settings, len(prompt), self._device)
        ids = torch.tensor([prompt], device=self._device)
        reused = self._keep(prompt)
        scores = self._read_prompt(ids, reused, stop)
        first = None
        reason: EndReason = "stopped"
        while scores is not None and not stop.is_set():
            token = sampler.draw(ids, scores)
            ids = torch.cat([ids, torch.tensor([[token]], device=self._device)], dim=1)
            first = first or time.perf_counter()
            if token in self._stop_ids:
                reason = "stop token"
                break
            if piece := stream.add(token):
                emit(piece)
            if stream.stopped:
                reason = "stop text"
                break
            if ids.shape[1] - len(prompt) >= settings.max_new_tokens:
                reason = "length"
                break
            if self.context is not None and ids.shape[1] >= self.context:
                reason = "context full"
                break
            scores = self._forward(ids[:, -1:])
        if not stream.stopped and (piece := stream.end()):
            emit(piece)
            if stream.stopped and reason != "stopped":
                reason = "stop text"
        ended = time.perf_counter()
        made = ids[0, len(prompt) :].tolist()
        first = first or ended
        speed = (len(made) - 1) / (ended - first) if len(made) > 1 else len(made) / (ended - started)
        return Answer(reason, made, len(prompt), reused, first - started, speed)

    def _require_room(self, prompt: list[int]) -> None:
        if not prompt:
            raise fault("the template makes an empty prompt of this conversation")
        if self.context is not None and len(prompt) >= self.context:
            raise fault(
                f"the conversation has {len(prompt)} tokens, the model has room for {self.context}",
                hint="begin a new one",
            )
        if (highest := max(prompt)) >= self._vocabulary:
            raise fault(
                f"the tokenizer makes token {highest}, the model knows {self._vocabulary}",
                self.encoder.tokenizer.folder,
                "tokenizer and weights are not of the same model",
            )

    def _keep(self, prompt: list[int]) -> int:
        """Cut the cache back to the blocks that it shares with `prompt`; returns their tokens."""
        same = next(
            (i for i, (old, new) in enumerate(zip(self._cached, prompt, strict=False)) if old != new),
            min(len(self._cached), len(prompt)),
        )
        # One token at least is computed: its scores are needed
        kept = min(same, len(prompt) - 1) // BLOCK * BLOCK
        surplus = self._cache.get_seq_length() - kept
        try:
            if surplus and kept:
                self._cache.crop(-surplus)
        except RuntimeError:  # a sliding window forgets what lies before it: there is no way back
            kept = 0
        if not kept:
            self._cache = self._new_cache()
        self._cached = prompt[:kept]
        return kept

    def _read_prompt(self, ids: torch.Tensor, start: int, stop: Event) -> torch.Tensor | None:
        """Scores [1, vocabulary] after the prompt [1, T], `start` of it cached; None when stopped."""
        scores = None
        for block in torch.split(ids[:, start:], BLOCK, dim=1):
            if stop.is_set():
                return None
            scores = self._forward(block)
            self._cached += block[0].tolist()
        return scores

    def _forward(self, ids: torch.Tensor) -> torch.Tensor:
        output = self.model(input_ids=ids, past_key_values=self._cache, use_cache=True, **self._last_only)
        scores: torch.Tensor = output.logits[:, -1]
        return scores

    def _new_cache(self) -> DynamicCache:
        return DynamicCache(config=self.model.config)


def stop_ids(model: PreTrainedModel, encoder: Encoder) -> set[int]:
    """Tokens that end an answer: the template's, and those that the model's makers name."""
    named: int | list[int] | None = model.generation_config.eos_token_id
    return {*encoder.stop_ids, *([] if named is None else named if isinstance(named, list) else [named])}
