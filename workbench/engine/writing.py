"""One answer while it is written: its tokens, its text, what ends it, its figures."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch

from workbench.chat.memory import Prompt
from workbench.chat.protocol import ALTERNATIVES, DETAILED_TOKENS, Alternative, EndReason, TokenDetail
from workbench.engine.sampling import Sampler, require_finite
from workbench.engine.text_stream import TextStream
from workbench.project.sampling import Sampling
from workbench.prompts.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Answer:
    """How an answer ended; its fields are those of `chat.protocol.Done`."""

    reason: EndReason
    ids: list[int]
    prompt_tokens: int
    reused_tokens: int
    first_token_seconds: float
    tokens_per_second: float
    dropped_turns: int = 0
    dropped_tokens: int = 0
    details: list[TokenDetail] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends the answers of a model: token ids, texts, and the most tokens it has positions for."""

    ids: Collection[int]
    texts: Sequence[str]
    context: int | None


class Writing:
    """An answer from its first token to its last.

    Args:
        prompt: what it answers.
        settings: how tokens are drawn, and when to end.
        ends: of the model.
        tokenizer: of the model.
        device: where the scores are.
        emit: called with every piece of text, in order.
        details: keep what the model thought at each token.
        started: when the answer was asked for, by `time.perf_counter`.

    Attributes:
        reused: tokens of the prompt that were not computed again.
    """

    def __init__(
        self,
        prompt: Prompt,
        settings: Sampling,
        ends: Ends,
        tokenizer: Tokenizer,
        device: torch.device,
        emit: Callable[[str], None],
        *,
        details: bool,
        started: float,
    ) -> None:
        self._prompt, self._settings, self._ends, self._tokenizer = prompt, settings, ends, tokenizer
        self._emit, self._started = emit, started
        self._stream = TextStream(tokenizer, prompt.ids, (*settings.stop, *ends.texts))
        self._sampler = Sampler(settings, len(prompt.ids), device, ends.ids)
        self._past = torch.tensor([prompt.ids], device=device)
        self._made: list[int] = []
        self._details: list[TokenDetail] | None = [] if details else None
        self._first: float | None = None
        self._reason: EndReason = "stopped"
        self.reused = 0

    @property
    def last(self) -> int:
        """The newest token."""
        return self._made[-1]

    @property
    def tokens(self) -> int:
        """Of prompt and answer."""
        return len(self._prompt.ids) + len(self._made)

    def take(self, scores: torch.Tensor, highest: float, likeliest: int) -> bool:
        """Draw the next token from the model's scores [1, vocabulary]; returns whether the answer goes on.

        Args:
            scores: of every token.
            highest: of them.
            likeliest: the token that has it.

        Raises WorkbenchError: the scores are not numbers, or no token is allowed.
        """
        require_finite(highest)
        token = likeliest if self._sampler.greedy else self._sampler.draw(self._seen(), scores)
        if self._details is not None and len(self._details) < DETAILED_TOKENS:
            self._details.append(_detail(token, scores, self._tokenizer))
        self._made.append(token)
        self._first = self._first or time.perf_counter()
        if token in self._ends.ids:
            self._reason = "stop token"
            return False
        if piece := self._stream.add(token):
            self._emit(piece)
        if self._stream.stopped:
            self._reason = "stop text"
        elif len(self._made) >= self._settings.max_new_tokens:
            self._reason = "length"
        elif self._ends.context is not None and self.tokens >= self._ends.context:
            self._reason = "context full"
        else:
            return True
        return False

    def end(self) -> Answer:
        """Emit what was held back; an answer that `take` did not end was stopped."""
        if not self._stream.stopped and (piece := self._stream.end()):
            self._emit(piece)
            if self._stream.stopped and self._reason != "stopped":
                self._reason = "stop text"
        ended = time.perf_counter()
        count, first = len(self._made), self._first or ended
        return Answer(
            self._reason,
            self._made,
            len(self._prompt.ids),
            self.reused,
            first - self._started,
            (count - 1) / (ended - first) if count > 1 else count / (ended - self._started),
            self._prompt.dropped_turns,
            self._prompt.dropped_tokens,
            self._details or [],
        )

    def _seen(self) -> torch.Tensor:
        """Prompt and answer so far [1, T]; of no meaning for a sampler that does not look back."""
        if not self._sampler.looks_back:
            return self._past
        count, room = self.tokens, self._past.shape[1]
        if count > room:  # doubled: a long answer is not copied with every token
            self._past = torch.cat([self._past, torch.zeros_like(self._past)], dim=1)
        if self._made:
            self._past[0, count - 1] = self._made[-1]
        return self._past[:, :count]


def _detail(token: int, scores: torch.Tensor, tokenizer: Tokenizer) -> TokenDetail:
    logs = scores[0].float().log_softmax(-1)
    chances = logs.exp()
    best = chances.topk(min(ALTERNATIVES, len(chances)))
    return TokenDetail(
        token,
        tokenizer.token(token),
        float(chances[token]),
        float(torch.special.entr(chances).sum()),
        [
            Alternative(index, tokenizer.token(index), chance)
            for index, chance in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ],
    )
