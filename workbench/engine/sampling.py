"""From the model's scores to the next token, in the order of transformers' `generate`."""

import math
from collections.abc import Collection

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from workbench.errors import fault
from workbench.project.sampling import Sampling

GREEDY_BELOW = 1e-4
"""Temperatures under this take the likeliest token: dividing by less overflows and changes nothing else."""


class AnswerPenalties(LogitsProcessor):  # type: ignore[misc]
    """Lowers the scores of tokens that are in the answer already, as in the OpenAI API.

    score - presence * (count > 0) - frequency * count; the prompt does not count. transformers has neither.

    Args:
        presence: subtracted once, in units of the scores.
        frequency: subtracted for each time.
        prompt_tokens: length of the prompt in front of the answer.
    """

    def __init__(self, presence: float, frequency: float, prompt_tokens: int) -> None:
        self._presence, self._frequency = presence, frequency
        self._prompt_tokens = prompt_tokens

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores [1, vocabulary] after the tokens [1, T]."""
        answer = input_ids[:, self._prompt_tokens :]
        counts = torch.zeros_like(scores).scatter_add_(1, answer, torch.ones_like(answer, dtype=scores.dtype))
        return scores - self._presence * (counts > 0) - self._frequency * counts  # type: ignore[return-value]


def require_finite(highest: float) -> None:
    """Raises WorkbenchError where the highest score is no number: NaN wins a maximum."""
    if not math.isfinite(highest):
        raise fault(
            "the model's scores are NaN or infinite",
            hint="its weights have diverged, or its precision cannot hold them: try another checkpoint",
        )


class Sampler:
    """Draws the tokens of one answer: the same settings, seed and scores draw the same tokens.

    Answers that are written in one batch have a sampler each, and draw from their own row of the scores.

    Args:
        settings: temperature and the rest.
        prompt_tokens: length of the prompt.
        device: where the scores are.
        stop_ids: what `min_new_tokens` holds back.

    Attributes:
        looks_back: the tokens so far matter, not only the scores.
        greedy: nothing matters but which score is highest.
    """

    def __init__(
        self,
        settings: Sampling,
        prompt_tokens: int,
        device: torch.device,
        stop_ids: Collection[int] = (),
    ) -> None:
        self._greedy = settings.temperature < GREEDY_BELOW
        self._generator = torch.Generator(device).manual_seed(settings.seed)
        self._processors = LogitsProcessorList()
        add = self._processors.append
        if settings.repetition_penalty != 1:
            add(RepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
        if settings.no_repeat_ngram_size:
            add(NoRepeatNGramLogitsProcessor(settings.no_repeat_ngram_size))
        if settings.min_new_tokens and stop_ids:
            least = settings.min_new_tokens
            add(MinNewTokensLengthLogitsProcessor(prompt_tokens, least, [*stop_ids], device=str(device)))
        if settings.presence_penalty or settings.frequency_penalty:
            add(AnswerPenalties(settings.presence_penalty, settings.frequency_penalty, prompt_tokens))
        self.looks_back = bool(self._processors)
        self.greedy = self._greedy and not self.looks_back
        if self._greedy:
            return
        if settings.temperature != 1:
            add(TemperatureLogitsWarper(settings.temperature))
        if settings.top_k:
            add(TopKLogitsWarper(settings.top_k))
        if settings.top_p < 1:
            add(TopPLogitsWarper(settings.top_p))
        if settings.min_p:
            add(MinPLogitsWarper(settings.min_p))
        if settings.typical_p < 1:
            add(TypicalLogitsWarper(settings.typical_p))

    @property
    def takes_likeliest(self) -> bool:
        """It takes the token that the model scores highest, whatever stands before it."""
        return self._greedy and not self._processors

    def draw(self, ids: torch.Tensor, scores: torch.Tensor) -> int:
        """The next token after `ids` [1, T], from the model's `scores` [1, vocabulary].

        `ids` may be anything while the sampler does not look back.

        Raises WorkbenchError: the scores are not numbers, or no token is allowed.
        """
        scores = scores.float()
        require_finite(float(scores.max()))
        scores = self._processors(ids, scores)
        if self.looks_back and scores.max() == -torch.inf:
            raise fault("the settings rule out every token", "chat.no_repeat_ngram_size", "take more, or 0")
        if self._greedy:
            return int(scores.argmax(-1))
        return int(torch.multinomial(scores.softmax(-1), 1, generator=self._generator))
