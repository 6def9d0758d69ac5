"""Which tokens are trained, from the character ranges of answers and tokens."""

from bisect import bisect_left
from collections.abc import Sequence

from workbench.prompts.encoding.answers import Answer

Spans = Sequence[tuple[int, int]]


def mask_of(spans: Spans, answers: Sequence[Answer]) -> list[int]:
    """1 for every token that starts inside an answer."""
    mask = [0] * len(spans)
    starts = [start for start, _ in spans]
    for answer in answers:
        tokens = _tokens(starts, answer.start, answer.end)
        mask[tokens] = [1] * (tokens.stop - tokens.start)
    return mask


def stops_trained(answers: Sequence[Answer], spans: Spans, mask: Sequence[int]) -> bool:
    """Every answer with a trained token ends in a mark whose tokens are all trained; one at least is trained.

    `mask` may be shorter than `spans`: what was cut off is not trained.
    """
    starts = [start for start, _ in spans]
    trained = [answer for answer in answers if any(mask[_tokens(starts, answer.start, answer.end)])]
    for answer in trained:
        if answer.mark is None:
            return False
        tokens = _tokens(starts, *answer.mark)
        first = tokens.start
        while first and spans[first - 1][1] > answer.mark[0]:  # it may also hold what precedes
            first -= 1
        if not (first < tokens.stop <= len(mask) and all(mask[first : tokens.stop])):
            return False
    return bool(trained)


def _tokens(starts: Sequence[int], start: int, end: int) -> slice:
    """The tokens that start in a character range; `starts` never falls, so they are one run."""
    return slice(bisect_left(starts, start), bisect_left(starts, end))
