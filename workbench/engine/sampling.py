"""From the model's scores to the next token, in the order of transformers' `generate`."""

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from workbench.errors import fault
from workbench.project.sampling import Sampling

GREEDY_BELOW = 1e-4
"""Temperatures under this take the likeliest token: dividing by less overflows and changes nothing else."""


class PresencePenalty(LogitsProcessor):  # type: ignore[misc]
    """Subtracts `penalty` from the score of every token that is in the answer already, however often.

    As in the OpenAI API, the prompt does not count; transformers has no such processor.

    Args:
        penalty: in units of the scores.
        prompt_tokens: length of the prompt in front of the answer.
    """

    def __init__(self, penalty: float, prompt_tokens: int) -> None:
        self._penalty = penalty
        self._prompt_tokens = prompt_tokens

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores [1, vocabulary] after the tokens [1, T]."""
        answer = input_ids[:, self._prompt_tokens :]
        present = torch.zeros_like(scores).scatter_(1, answer, 1.0)
        return scores - self._penalty * present  # type: ignore[return-value]


class Sampler:
    """Draws the tokens of one answer: the same settings, seed and scores draw the same tokens.

    Args:
        settings: temperature and the rest.
        prompt_tokens: length of the prompt.
        device: where the scores are.
    """

    def __init__(self, settings: Sampling, prompt_tokens: int, device: torch.device) -> None:
        self._greedy = settings.temperature < GREEDY_BELOW
        self._generator = torch.Generator(device).manual_seed(settings.seed)
        self._processors = LogitsProcessorList()
        if settings.repetition_penalty != 1:
            self._processors.append(RepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
        if settings.presence_penalty:
            self._processors.append(PresencePenalty(settings.presence_penalty, prompt_tokens))
        if self._greedy:
            return
        if settings.temperature != 1:
            self._processors.append(TemperatureLogitsWarper(settings.temperature))
        if settings.top_k:
            self._processors.append(TopKLogitsWarper(settings.top_k))
        if settings.top_p < 1:
            self._processors.append(TopPLogitsWarper(settings.top_p))
        if settings.min_p:
            self._processors.append(MinPLogitsWarper(settings.min_p))

    def draw(self, ids: torch.Tensor, scores: torch.Tensor) -> int:
        """The next token after `ids` [1, T], from the model's `scores` [1, vocabulary].

        Raises WorkbenchError: the scores are not numbers.
        """
        scores = scores.float()
        if not torch.isfinite(scores.max()):  # NaN wins a maximum
            raise fault(
                "the model's scores are NaN or infinite",
                hint="its weights have diverged, or its precision cannot hold them: try another checkpoint",
            )
        scores = self._processors(ids, scores)
        if self._greedy:
            return int(scores.argmax(-1))
        return int(torch.multinomial(scores.softmax(-1), 1, generator=self._generator))
