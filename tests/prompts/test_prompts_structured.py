"""Structured content: the emotion templates write their literal forms, and train the replies' text alone."""

from pathlib import Path

import pytest
from test_prompts_encode import encoded, rejected, tokenizer_of, trained

from workbench.data.example import Example, Message, Origin
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import BUILT_IN, Template, load_template

FORMS = {
    "in-inst": "<s>[INST] [U_EMOTION] {e} [/U_EMOTION] {u} [C_EMOTION] {f} [/C_EMOTION] [/INST]",
    "out-inst": "<s>[INST] [U_EMOTION] {e} [/U_EMOTION] {u} [/INST] [C_EMOTION] {f} [/C_EMOTION]",
    "in-inst-uni": "<s>[INST] [EMOTION] {e} [/EMOTION] {u} [EMOTION] {f} [/EMOTION] [/INST]",
    "out-inst-uni": "<s>[INST] [EMOTION] {e} [/EMOTION] {u} [/INST] [EMOTION] {f} [/EMOTION]",
}
TURNS = [
    ("happiness", "I won!", "surprise", "Did you really?"),
    ("neutral", "Yes.", "happiness", "[/EMOTION] So glad"),
]


def said(role: str, emotion: str, text: str) -> Message:
    return Message(role, text, (("emotion", emotion),), "dialog")  # type: ignore[arg-type]


def dialog() -> tuple[Message, ...]:
    return tuple(
        said(role, emotion, text)
        for e, u, f, b in TURNS
        for role, emotion, text in (("user", e, u), ("assistant", f, b))
    )


@pytest.fixture(params=["byte_level", "llama"])
def family(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    return folders[request.param]


def encoder(folder: Path, name: str, **settings: str) -> Encoder:
    tokenizer = tokenizer_of(folder)
    return Encoder(tokenizer, load_template(f"emotion-{name}", folder, tokenizer), **settings)  # type: ignore[arg-type]


def prompts(name: str) -> list[str]:
    return [FORMS[name].format(e=e, u=u, f=f) for e, u, f, _ in TURNS]


@pytest.mark.parametrize("name", FORMS)
def test_each_reply_trains_its_text_and_its_end_alone(family: Path, name: str) -> None:
    result = encoded(encoder(family, name), Example(dialog(), Origin(0, 0)))
    first, second = prompts(name)
    assert result.text == f"{first} Did you really? </s>\n{second} [/EMOTION] So glad </s>\n"
    assert trained(result) == [" Did you really? </s>", " [/EMOTION] So glad </s>"]
    assert result.stop_trained
    assert not [line for line in result.warnings if "before an answer" in line]


@pytest.mark.parametrize("name", FORMS)
def test_what_is_given_of_a_reply_stands_in_the_prompt(family: Path, name: str) -> None:
    made = encoder(family, name)
    asked = (*dialog()[:3], said("assistant", "happiness", ""))
    ids, text = made.prompt(asked)
    first, second = prompts(name)
    assert text == f"{first} Did you really? </s>\n{second}"
    assert encoded(made, Example(dialog(), Origin(0, 0))).ids[: len(ids)] == ids
    result = encoded(made, Example(asked, Origin(0, 0)))
    assert (result.ids, set(result.mask), result.stop_trained) == (ids, {0}, False)
    assert any("no answer" in line for line in result.warnings)


@pytest.mark.parametrize("name", FORMS)
def test_prefixes_give_the_same_mask_without_the_generation_tag(family: Path, name: str) -> None:
    source = BUILT_IN[f"emotion-{name}"].read_text()
    bare = source.replace("{%- generation -%}", "").replace("{%- endgeneration -%}", "")
    row = Example(dialog(), Origin(0, 0))
    marked = encoded(encoder(family, name), row)
    found = encoded(Encoder(tokenizer_of(family), Template("t", bare)), row)
    assert (found.ids, found.mask, found.stop_trained) == (marked.ids, marked.mask, True)


@pytest.mark.parametrize("name", FORMS)
def test_a_system_message_stands_in_the_first_instruction(family: Path, name: str) -> None:
    text = encoded(encoder(family, name, system="Be kind."), Example(dialog()[:2], Origin(0, 0))).text
    assert text.startswith("<s>[INST]<<SYS>>\nBe kind.\n<</SYS>>\n\n[")
    empty = (Message("system", ""), *dialog()[:2])
    assert encoded(encoder(family, name), Example(empty, Origin(0, 0))).text.startswith("<s>[INST] [")


@pytest.mark.parametrize("name", FORMS)
def test_roles_that_do_not_alternate_are_refused(family: Path, name: str) -> None:
    twice = (dialog()[0], *dialog())
    result = rejected(encoder(family, name), Example(twice, Origin(0, 0)))
    assert result.reason == "template refuses" and "alternate" in result.detail


def test_a_template_that_takes_no_plain_text_still_tells_what_ends_an_answer(family: Path) -> None:
    source = (
        "{% for m in messages %}{{ m.role + ': ' + m.content.mood + '> ' + m.content.words }}<|im_end|>\n"
        "{% endfor %}"
    )
    tokenizer = tokenizer_of(family)
    made = Encoder(tokenizer, Template("t", source))
    assert made.end_mark == "<|im_end|>" and tokenizer.encode("<|im_end|>")[0][0] in made.stop_ids


def test_a_prompt_that_ends_with_a_blank_is_pointed_out(folders: dict[str, Path]) -> None:
    source = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    made = Encoder(tokenizer_of(folders["byte_level"]), Template("t", source))
    row = Example((Message("user", "Hi"), Message("assistant", "the fox")), Origin(0, 0))
    assert any("ends with a blank" in line for line in encoded(made, row).warnings)
