"""Questions put in other words by a model, for augmentation: what it says is taken only where it can pass for
the question, everything else is counted with its reason.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.chat.client import ChatEngine
from workbench.chat.protocol import Column, Done, Failed, Piece
from workbench.data.augment.making import digits
from workbench.data.example import Example, Message, Origin
from workbench.data.likeness.near import normalise
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings

INSTRUCTION = (
    "Put the following message in other words, in its own language. Keep every name and every number. "
    "Write the new message and nothing else.\n\n"
)
KEY = "model"
"""The key under which the target is loaded."""
_MOST_LONGER = 3
"""A rewording that is longer by more than this factor, and fifty characters, answers or explains."""


@dataclass(slots=True)
class Rephrased:
    """What a model made of questions.

    Attributes:
        questions: for each row at most one text, with how it was made.
        refused: reason to the number of rows whose rewording was not taken.
    """

    questions: dict[Origin, list[tuple[str, str]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


async def rephrase(
    engine: ChatEngine,
    label: str,
    originals: Sequence[Example],
    settings: ChatSettings,
    progress: Callable[[float], None] | None = None,
) -> Rephrased:
    """Ask for each row's last user message in other words, one after the other.

    Args:
        engine: with a model loaded under `KEY`.
        label: the model's name, kept with the made rows.
        originals: the rows.
        settings: how tokens are drawn, and how many.
        progress: told the share of the rows that is done.

    Raises:
        EngineDied: the engine ended.
    """
    result = Rephrased()
    for number, example in enumerate(originals):
        asked = [message.content for message in example.messages if message.role == "user"]
        if asked:
            said, reason = await _said(engine, asked[-1], settings)
            if refusal := reason or _refusal(asked[-1], said):
                result.refused[refusal] += 1
            else:
                result.questions[example.origin] = [(f"model {label}", said)]
        if progress:
            progress((number + 1) / len(originals))
    return result


async def _said(engine: ChatEngine, question: str, settings: ChatSettings) -> tuple[str, str]:
    """The model's text, and why it cannot be used as far as the engine knows."""
    text = ""
    column = Column(KEY, [Message("user", INSTRUCTION + question)], settings)
    try:
        async for reply in engine.generate([column]):
            match reply:
                case Piece():
                    text += reply.text
                case Done(reason="length" | "context full"):
                    return "", "the model came to no end"
                case Failed():
                    return "", "the model refused"
    except WorkbenchError:
        if not engine.running:
            raise
        return "", "the model refused"
    return text.strip(), ""


def _refusal(question: str, said: str) -> str:
    if not said:
        return "the model said nothing"
    if normalise(said) == normalise(question):
        return "the model used the same words"
    if _script(said) != _script(question):
        return "the model wrote another script"
    if digits(said) != digits(question):
        return "the model changed a number"
    if len(said) > max(_MOST_LONGER * len(question), len(question) + 50):
        return "the model wrote much more than the question"
    return ""


def _script(text: str) -> str:
    """The script of most letters, as Unicode names them: LATIN, THAI, CJK."""
    names = Counter(unicodedata.name(sign, "").partition(" ")[0] for sign in text if sign.isalpha())
    return max(names, key=names.__getitem__, default="")
