"""What a check looks at, what it compares with, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.chat.protocol import EndReason

if TYPE_CHECKING:
    from workbench.evaluation.checks.characters import CharacterModel

Span = tuple[int, int]
"""First character and the one after the last, in the answer's text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model with what it was asked.

    Attributes:
        text: the answer alone: no prompt, no special tokens.
        question: what the user says last.
        facts: all else that stood in the prompt, one text each: system message, context blocks, earlier
            turns.
        reference: the answer that the row has; empty where it has none.
        ended: why the model stopped; empty where that is not known.
        label: the label that the answer should have, such as its emotion; empty for none.
        predicted: the label that a classifier gave it, empty where it knew none; None while none has looked.
    """

    text: str
    question: str = ""
    facts: tuple[str, ...] = ()
    reference: str = ""
    ended: EndReason | str = ""
    label: str = ""
    predicted: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What holds for all answers of an evaluation.

    Attributes:
        special_tokens: texts of the tokenizer's special tokens: an answer has none of them.
        shortest, longest: characters; 0 for no limit.
        characters: what the references look like, letter by letter; None where there are too few.
    """

    special_tokens: tuple[str, ...] = ()
    shortest: int = 0
    longest: int = 0
    characters: "CharacterModel | None" = field(default=None, repr=False)


NOTHING_MORE = Expected()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one answer.

    Attributes:
        check: name of the check, one of `registry.CHECKS`.
        figure: how much of it; higher is worse, the unit is the check's.
        what: the same in words.
        span: where it stands.
    """

    check: str
    figure: float
    what: str
    span: Span


Check = Callable[[Answer, Expected], list[Finding]]


def whole(answer: Answer) -> Span:
    """All of the answer."""
    return 0, len(answer.text)
