"""What is given with an answer: the usual, or what a person asks for."""

import pytest

from workbench.chat.structure import Structure, usually_given
from workbench.data.example import Message
from workbench.errors import WorkbenchError

MOODS = Structure(
    "dialog", {"user": {"emotion": ["neutral"]}, "assistant": {"emotion": ["neutral", "happiness"]}}
)


def test_plain_text_is_given_nothing() -> None:
    given = usually_given(None)
    said = [given.message("user", "hello")]
    assert given.prompt(said) == said == [Message("user", "hello")]
    with pytest.raises(WorkbenchError, match="gives nothing with an answer"):
        given.with_answer("emotion=happiness")


def test_an_answer_is_given_what_is_asked_for() -> None:
    usual = usually_given(MOODS)
    said = [usual.message("user", "hello")]
    assert said[0].for_template == {"emotion": "neutral", "dialog": "hello"}
    assert usual.prompt(said)[-1].for_template == {"emotion": "neutral", "dialog": ""}
    happy = usual.with_answer("emotion=happiness")
    assert happy.prompt(said)[-1].for_template == {"emotion": "happiness", "dialog": ""}
    assert happy.message("user", "hello") == said[0], "the person's own stays"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("mood=x", "KEY is emotion"),
        ("emotion", "KEY=VALUE"),
        ("emotion=rage", "there are: neutral, happiness"),
    ],
)
def test_what_no_answer_has_is_refused(wanted: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as raised:
        usually_given(MOODS).with_answer(wanted)
    assert said in str(raised.value) + "".join(problem.hint for problem in raised.value.problems)
