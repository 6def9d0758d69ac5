"""What of a conversation a model is sent: its last questions, as many as settings and context allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder

ANSWER_SHARE = 4
"""An answer is kept free at most a quarter of the context: questions are dropped for it, down to the last."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads.

    Attributes:
        ids: its tokens.
        dropped_turns: questions, with their answers, that were left out, the oldest first.
        dropped_tokens: how much longer the prompt would have been with them.
    """

    ids: list[int]
    dropped_turns: int = 0
    dropped_tokens: int = 0


def fit(encoder: Encoder, messages: Sequence[Message], settings: ChatSettings, context: int | None) -> Prompt:
    """The prompt of a conversation that fits a model's context, with room for an answer.

    The system message stays whatever is dropped. Room for an answer is `max_new_tokens`, but at most a
    quarter of the context; the last question is asked even where it leaves less.

    Args:
        encoder: writes the prompt.
        messages: the conversation; with the system message of the settings when it has none.
        settings: `system`, `last_turns` and `max_new_tokens` of them.
        context: most tokens that the model has positions for; None for no limit.

    Raises WorkbenchError: the template refuses the conversation, or its last question alone is too long.
    """
    if settings.system and not any(message.role == "system" for message in messages):
        messages = [Message("system", settings.system), *messages]
    starts = [i for i, message in enumerate(messages) if message.role == "user"] or [0]

    def without(turns: int) -> list[int]:
        """Ids of the prompt without the first `turns` questions; all that stands before them stays."""
        return encoder.prompt([*messages[: starts[0]], *messages[starts[turns] :]])[0]

    last = len(starts) - 1
    least = max(0, len(starts) - settings.last_turns) if settings.last_turns else 0
    ids = without(least)
    dropped = least
    if context is not None:
        room = context - min(settings.max_new_tokens, context // ANSWER_SHARE)
        if len(ids) > room:
            dropped = _fewest(least + 1, last, lambda turns: len(without(turns)) <= room)
            ids = without(dropped)
        if len(ids) >= context:
            raise fault(
                f"the question makes a prompt of {len(ids)} tokens, the model has room for {context}",
                hint="shorten it",
            )
    whole = without(0) if dropped else ids
    return Prompt(ids, dropped, len(whole) - len(ids))


def _fewest(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The least number from `low` to `high` that fits; `high` where none does."""
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return high
