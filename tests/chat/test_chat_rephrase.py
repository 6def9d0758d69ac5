"""A model's rewordings: taken where they can pass for the question, else counted by reason."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from workbench.chat.client import ChatEngine, EngineDied
from workbench.chat.protocol import Column, Done, Failed, Piece
from workbench.chat.rephrase import INSTRUCTION, Rephrased, rephrase
from workbench.data.example import Example, Message, Origin
from workbench.errors import fault
from workbench.project.schema import ChatSettings


class Engine:
    """Says what it is told to for each question; `!` refuses, `†` ends, `…` comes to no end."""

    def __init__(self, said: dict[str, str]) -> None:
        self.said = said
        self.running = True

    async def generate(self, columns: Sequence[Column]) -> AsyncIterator[Any]:
        said = self.said[columns[0].messages[-1].content.removeprefix(INSTRUCTION)]
        if said == "†":
            self.running = False
            raise EngineDied(*fault("gone").problems)
        if said == "!":
            yield Failed(1, list(fault("too long").problems), 0)
            return
        yield Piece(1, said)
        reason = "length" if said == "…" else "stop token"
        yield Done(1, cast(Any, reason), [1], 1, 1, 0, 0.1, 9.0)


def asked(said: dict[str, str]) -> Rephrased:
    rows = [
        Example((Message("user", question), Message("assistant", "a")), Origin(0, i))
        for i, question in enumerate(said)
    ]
    return asyncio.run(rephrase(cast(ChatEngine, Engine(said)), "m", rows, ChatSettings()))


def test_what_can_pass_for_the_question_is_taken() -> None:
    done = asked({"Where is order 12?": " Order 12, where is it?\n"})
    assert done.questions == {Origin(0, 0): [("model m", "Order 12, where is it?")]}
    assert not done.refused


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "said nothing"),
        ("WHERE is order  12", "same words"),
        ("Where is order 13?", "changed a number"),
        ("Order 12 is " + "far " * 40, "much more"),
        ("คำสั่งซื้อ 12 อยู่ที่ไหน", "another script"),
        ("!", "refused"),
        ("…", "no end"),
    ],
)
def test_what_cannot_is_counted(said: str, reason: str) -> None:
    done = asked({"Where is order 12?": said})
    assert not done.questions
    [(found, count)] = done.refused.items()
    assert reason in found and count == 1


def test_the_end_of_the_engine_is_an_error() -> None:
    with pytest.raises(EngineDied):
        asked({"q": "†"})
