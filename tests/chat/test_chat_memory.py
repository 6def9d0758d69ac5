"""What of a conversation is sent: the last questions, as many as are asked for and fit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.chat.memory import fit
from workbench.data.example import Message
from workbench.embedded import FOLDER
from workbench.errors import WorkbenchError
from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import load_template
from workbench.prompts.tokenizer import load_tokenizer

tokenizer = load_tokenizer(FOLDER)
encoder = Encoder(tokenizer, load_template("base", Path(FOLDER), tokenizer))


def talk(*questions: str) -> list[Message]:
    said = [m for text in questions for m in (Message("user", text), Message("assistant", f"re {text}"))]
    return said[:-1]


def text(ids: list[int]) -> str:
    return tokenizer.decode(ids)


def test_all_is_sent_where_nothing_says_otherwise() -> None:
    prompt = fit(encoder, talk("one", "two"), ChatSettings(), None)
    assert prompt.ids == encoder.prompt(talk("one", "two"))[0]
    assert (prompt.dropped_turns, prompt.dropped_tokens) == (0, 0)


def test_only_the_last_questions_are_remembered_and_the_system_message_stays() -> None:
    settings = ChatSettings(last_turns=2, system="be kind")
    prompt = fit(encoder, talk("one", "two", "three"), settings, None)
    assert prompt.ids == encoder.prompt([Message("system", "be kind"), *talk("two", "three")])[0]
    whole = encoder.prompt([Message("system", "be kind"), *talk("one", "two", "three")])[0]
    assert (prompt.dropped_turns, prompt.dropped_tokens) == (1, len(whole) - len(prompt.ids))
    assert fit(encoder, talk("one"), settings, None).dropped_turns == 0


def test_the_oldest_go_where_the_context_is_full() -> None:
    said = [Message("system", "be kind"), *talk("one " * 30, "two " * 30, "three")]
    context = len(encoder.prompt(said)[0]) - 10
    prompt = fit(encoder, said, ChatSettings(max_new_tokens=5), context)
    assert prompt.ids == encoder.prompt([said[0], *said[3:]])[0]
    assert prompt.dropped_turns == 1 and prompt.dropped_tokens > 30
    close = len(prompt.ids) + 20
    assert fit(encoder, said, ChatSettings(max_new_tokens=20), close).dropped_turns == 1
    tight = fit(encoder, said, ChatSettings(max_new_tokens=10_000), close)
    assert tight.dropped_turns == 2, "a quarter of the context is kept for the answer"
    assert fit(encoder, said, ChatSettings(max_new_tokens=1), context + 20).dropped_turns == 0


def test_one_question_that_is_too_long_is_refused_with_figures() -> None:
    said = talk("one", "two " * 200)
    tokens = len(encoder.prompt(said[-1:])[0])
    with pytest.raises(WorkbenchError, match=f"prompt of {tokens} tokens, the model has room for 100"):
        fit(encoder, said, ChatSettings(), 100)
    assert fit(encoder, said, ChatSettings(), tokens + 1).dropped_turns == 1, "room for one token is room"


def test_an_answer_that_is_given_in_part_stays_with_its_question() -> None:
    asked = [*talk("one", "two"), Message("assistant", "", (("emotion", "joy"),), "dialog")]
    template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content if m.content is string else m.content.emotion }}\n"
        "{% endfor %}"
    )
    from workbench.prompts.template import Template

    own = Encoder(tokenizer, Template("own", template))
    prompt = fit(own, asked, ChatSettings(last_turns=1), None)
    assert prompt.dropped_turns == 1
    assert "two" in text(prompt.ids) and "one" not in text(prompt.ids) and "joy" in text(prompt.ids)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
    st.integers(0, 4),
    st.integers(16, 300),
    st.integers(1, 300),
)
def test_what_is_sent_always_fits_and_is_the_end_of_the_conversation(
    lengths: list[int], last: int, context: int, most: int
) -> None:
    said = talk(*(f"q{n} " + "word " * length for n, length in enumerate(lengths)))
    settings = ChatSettings(last_turns=last, max_new_tokens=most)
    try:
        prompt = fit(encoder, said, settings, context)
    except WorkbenchError:
        assert len(encoder.prompt(said[-1:])[0]) >= context
        return
    assert len(prompt.ids) < context
    assert prompt.ids == encoder.prompt(said[2 * prompt.dropped_turns :])[0]
    assert prompt.dropped_tokens == len(encoder.prompt(said)[0]) - len(prompt.ids)
    if last:
        assert len(lengths) - prompt.dropped_turns <= last
