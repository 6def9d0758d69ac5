"""Rows that have something wrong of their own, found one after the other."""

from collections.abc import Callable

from workbench.data.dataset import Dataset
from workbench.data.example import Example, Origin, Rejected
from workbench.prompts.encoding.answers import PROBE, QUESTION
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.remarks import NO_ANSWER

LOOKED_EVERY = 200


def next_with_warning(
    dataset: Dataset,
    encoder: Encoder,
    place: tuple[int, int],
    step: int,
    looked: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> int | None:
    """The nearest row of a source, after `place` or before it, that is rejected or has a warning of its own.

    What this template and this tokenizer earn with every conversation is no row's own. After the last row
    comes the first. None when there is no other such row, or when it was cancelled.

    Args:
        dataset: the opened sources.
        encoder: the project's.
        place: source and row to start from.
        step: 1 for the rows after it, -1 for those before.
        looked: told now and then how many rows were looked at.
        cancelled: asked as often.

    Raises WorkbenchError when the file went away.
    """
    source, row = place
    usual = {NO_ANSWER}
    probe = encoder.encode(Example((QUESTION, PROBE), Origin(source, row)))
    if not isinstance(probe, Rejected):
        usual |= set(probe.warnings)
    rows = dataset.sources[source].known_rows
    for away in range(1, rows):
        if away % LOOKED_EVERY == 0:
            if cancelled():
                return None
            looked(away)
        at = (row + step * away) % rows
        outcome = dataset.example(source, at)
        if isinstance(outcome, Example):
            encoded = encoder.encode(outcome)
            found = isinstance(encoded, Rejected) or not usual.issuperset(encoded.warnings)
        else:
            found = not outcome.filtered
        if found:
            return at
    return None
