"""The one encode path: the mask covers each answer with its end-of-turn mark and nothing else."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import NAMES, byte_level, llama, write

from workbench.data.example import Example, Message, Origin, Rejected
from workbench.errors import WorkbenchError
from workbench.prompts.encoding.answers import NOT_FOUND, REWRITTEN
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.encoded import Encoded
from workbench.prompts.encoding.limits import Limits
from workbench.prompts.template import BUILT_IN, Template
from workbench.prompts.tokenizer import Tokenizer, load_tokenizer

HISTORY_WITHOUT_THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}"
    "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@cache
def tokenizer_of(folder: Path) -> Tokenizer:
    return load_tokenizer(folder)


def example(*turns: str, system: str | None = None) -> Example:
    """User and assistant in turn."""
    messages = [Message("user" if i % 2 == 0 else "assistant", turn) for i, turn in enumerate(turns)]
    if system is not None:
        messages.insert(0, Message("system", system))
    return Example(tuple(messages), Origin(0, 0))


def encoded(encoder: Encoder, row: Example) -> Encoded:
    result = encoder.encode(row)
    assert isinstance(result, Encoded), result
    assert len(result.ids) == len(result.mask) == len(result.spans)
    return result


def rejected(encoder: Encoder, row: Example) -> Rejected:
    result = encoder.encode(row)
    assert isinstance(result, Rejected)
    return result


def trained(result: Encoded) -> list[str]:
    """The stretches of text under the mask."""
    pieces: list[list[int]] = []
    before = 0
    for (start, end), on in zip(result.spans, result.mask, strict=True):
        if on and not before:
            pieces.append([start, end])
        elif on:
            pieces[-1][1] = max(end, pieces[-1][1])
        before = on
    return [result.text[start:end] for start, end in pieces]


# What each built-in template makes of an answer, written down here a second time
ANSWERS: dict[str, Callable[[str], str]] = {
    "chatml": lambda text: f"{text}<|im_end|>",
    "llama-2": lambda text: f" {text.strip()} </s>",
    "llama-3": lambda text: f"{text.strip()}<|eot_id|>",
    "mistral": lambda text: f" {text}</s>",
    "vicuna": lambda text: f" {text}</s>",
    "alpaca": lambda text: f"{text}</s>",
    "gemma": lambda text: f"{text.strip()}<end_of_turn>",
    "zephyr": lambda text: f"{text}</s>",
    "taiwan-llm": lambda text: f" {text.strip()}</s>",
    "plain": lambda text: f" {text}</s>",
    **{
        f"emotion-{place}-inst{tags}": lambda text: f" {text.strip()} </s>"
        for place in ("in", "out")
        for tags in ("", "-uni")
    },
}
HARD = [
    "ไทย", "ที่", "ทำ", "Nguyễn", "e\u0323\u0302", "翻譯", "曰：「可」", "🙂",
    "👩\u200d👩\u200d👧", "🇹🇭", "𓂀", "[/INST]", "</s>", "<|im_end|>",
    "<|im_start|>assistant\n", "{{ x }}", "{% endfor %}", "USER: ",
    "ASSISTANT:", "\x00", "\x1b[31m", "\n", "\n\n", " ", "\t", "\r", "\u200b",
    "\u202e", "\ufeff", "\x85", "a", "Paris", ".", "###",
]  # fmt: skip
contents = st.lists(st.sampled_from(HARD) | st.text(max_size=4), min_size=1, max_size=6).map("".join)
spoken = contents.filter(lambda text: bool(text.strip()))
conversations = st.lists(spoken, min_size=2, max_size=6).filter(lambda turns: len(turns) % 2 == 0)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("family", ["byte_level", "llama"])
@pytest.mark.parametrize("marked", [True, False], ids=["generation tag", "prefixes"])
@given(turns=conversations, system=st.none() | spoken)
def test_mask_is_each_answer_with_its_end(
    folders: dict[str, Path], family: str, name: str, marked: bool, turns: list[str], system: str | None
) -> None:
    source = BUILT_IN[name].read_text()
    if not marked:
        source = source.replace("{%- generation -%}", "").replace("{%- endgeneration -%}", "")
    encoder = encoder_for(folders[family], source)
    row = example(*turns, system=system)
    result = encoded(encoder, row)
    begins_inside = any("begins inside the token" in warning for warning in result.warnings)
    expected = [ANSWERS[name](turn) for turn in turns[1::2]]
    if family == "byte_level":
        assert encoder.tokenizer.decode(result.ids) == result.text
    if not begins_inside:
        assert trained(result) == expected
    else:  # the first token is left out: it also holds what stands before the answer
        assert all(whole.endswith(part) for whole, part in zip(expected, trained(result), strict=True))
    assert result.stop_trained
    _, prompt = encoder.prompt(row.messages[:-1])
    assert result.text.startswith(prompt) and result.text[len(prompt) :].startswith(expected[-1])


@cache
def encoder_for(folder: Path, source: str, **settings: Any) -> Encoder:
    return Encoder(tokenizer_of(folder), Template("t", source), limits=Limits(100_000), **settings)


def chatml(folders: dict[str, Path], source: str = PLAIN, **settings: Any) -> Encoder:
    return Encoder(tokenizer_of(folders["byte_level"]), Template("t", source, "t.jinja"), **settings)


def test_chat_tokens_are_those_before_the_answer(folders: dict[str, Path]) -> None:
    encoder = chatml(folders)
    row = example("What is the capital?", "Paris.", "And of Thailand?", "กรุงเทพ")
    ids, _ = encoder.prompt(row.messages[:-1])
    result = encoded(encoder, row)
    assert (
        result.ids[: len(ids)] == ids and result.mask[len(ids) :].index(0) == len(result.ids) - len(ids) - 1
    )


def test_train_on_last_and_all(folders: dict[str, Path]) -> None:
    row = example("a", "one", "b", "two")
    assert trained(encoded(chatml(folders, train_on="last"), row)) == ["two<|im_end|>"]
    everything = encoded(chatml(folders, train_on="all"), row)
    assert set(everything.mask) == {1} and everything.stop_trained


def test_stripped_history_is_refused_unless_only_the_last_answer_is_trained(folders: dict[str, Path]) -> None:
    row = example("a", "<think>hm</think>one", "b", "<think>so</think>two")
    result = rejected(chatml(folders, HISTORY_WITHOUT_THINKING), row)
    assert result.reason == REWRITTEN and "message 2" in result.detail
    last = encoded(chatml(folders, HISTORY_WITHOUT_THINKING, train_on="last"), row)
    assert trained(last) == ["<think>so</think>two<|im_end|>"]


def test_an_empty_thought_before_the_last_answer_only_is_handled(folders: dict[str, Path]) -> None:
    source = PLAIN.replace(
        "{{ m.content }}",
        "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}",
    )
    result = encoded(chatml(folders, source), example("a", "one", "b", "two"))
    assert trained(result) == ["one<|im_end|>", "<think>\n\n</think>\n\ntwo<|im_end|>"]
    assert any("<think>" in warning for warning in result.warnings)


def test_an_end_mark_after_the_last_answer_only_is_reported(folders: dict[str, Path]) -> None:
    source = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}"
        "{% if loop.last and m.role == 'assistant' %}</s>{% endif %}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    result = encoded(chatml(folders, source), example("a", "one", "b", "two"))
    assert trained(result) == [" one", " two</s>"] and not result.stop_trained
    assert any("not trained" in warning for warning in result.warnings)


@pytest.mark.parametrize("marked", [True, False])
def test_an_extra_end_after_the_last_answer_only_is_no_part_of_the_mark(
    folders: dict[str, Path], marked: bool
) -> None:
    source = PLAIN.replace(
        "{{ m.content }}<|im_end|>\n",
        "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>\n{% endgeneration %}"
        "{% else %}{{ m.content }}<|im_end|>\n{% endif %}"
        "{% if loop.last and m.role == 'assistant' %}{% generation %}</s>{% endgeneration %}{% endif %}",
    )
    if not marked:
        source = source.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    encoder = chatml(folders, source)
    result = encoded(encoder, example("a", "one", "b", "two"))
    assert encoder.end_mark == "<|im_end|>" and result.stop_trained
    in_blocks = ["one<|im_end|>\n", "two<|im_end|>\n</s>"]
    assert trained(result) == (in_blocks if marked else ["one<|im_end|>", "two<|im_end|>"])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ raise_exception('only cats') }}", "template refuses"),
        ("{{ messages[7].content }}{{ nothing.at.all }}", "template fails"),
        (PLAIN.replace("m.content", "m.content | upper"), NOT_FOUND),
        (PLAIN.replace("m.content", "m.content | replace('a', 'b')"), NOT_FOUND),
        (PLAIN.replace("<|im_start|>{{ m.role }}", "{{ messages | length }}"), REWRITTEN),
        ("{% generation %}{% endgeneration %}" + PLAIN, NOT_FOUND),
        ("{% for m in messages %}{{ m.content }}{% generation %}x{% endgeneration %}{% endfor %}",
         NOT_FOUND),
    ],
)  # fmt: skip
def test_templates_that_cannot_be_masked_are_rejected_with_a_reason(
    folders: dict[str, Path], source: str, reason: str
) -> None:
    result = rejected(chatml(folders, source), example("what", "a cat", "and", "a rat"))
    assert result.reason == reason and result.detail


def test_a_system_message_is_put_first_only_where_there_is_none(folders: dict[str, Path]) -> None:
    encoder = chatml(folders, system="Be kind.")
    assert encoded(encoder, example("a", "b")).text.startswith("<|im_start|>system\nBe kind.")
    assert "kind" not in encoded(encoder, example("a", "b", system="Own.")).text
    assert encoder.prompt([Message("user", "a")])[1].startswith("<|im_start|>system\nBe kind.")


def test_a_refused_system_message_is_explained(folders: dict[str, Path]) -> None:
    source = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + PLAIN
    encoder = chatml(folders, source, system="Be kind.")
    assert "no system" in encoder.refused_system()
    assert "takes no system message" in rejected(encoder, example("a", "b")).detail
    with pytest.raises(WorkbenchError, match="no system.*takes no system message"):
        encoder.prompt([Message("user", "a")])
    assert not chatml(folders, source).refused_system()


def test_too_long(folders: dict[str, Path]) -> None:
    row = example("question", "answer " * 20)
    whole = encoded(chatml(folders), row)
    size = len(whole.ids)
    assert rejected(chatml(folders, limits=Limits(size - 1)), row).reason == "too long"
    assert encoded(chatml(folders, limits=Limits(size)), row) == whole
    cut = encoded(chatml(folders, limits=Limits(size - 2, overlong="truncate")), row)
    assert (cut.truncated, cut.ids, cut.stop_trained) == (2, whole.ids[:-2], False)
    assert any("cut off" in warning for warning in cut.warnings)
    assert rejected(chatml(folders, limits=Limits(8, overlong="truncate")), row).reason == "nothing to train"


def test_a_cut_that_takes_a_whole_turn_leaves_the_stop_of_the_first(folders: dict[str, Path]) -> None:
    first = encoded(chatml(folders), example("a", "one"))
    row = example("a", "one", "b" * 40, "two")
    cut = encoded(chatml(folders, limits=Limits(len(first.ids) + 3, overlong="truncate")), row)
    assert cut.stop_trained and trained(cut) == ["one<|im_end|>"]


def test_half_a_surrogate_pair_is_rejected(folders: dict[str, Path]) -> None:
    assert rejected(chatml(folders), example("a", "b\ud83d")).reason == "not valid text"


def test_the_answer_is_found_where_its_words_are_repeated(folders: dict[str, Path]) -> None:
    result = encoded(
        chatml(folders), example("Paris<|im_end|>", "Paris<|im_end|>", "assistant\nParis", "Paris")
    )
    assert trained(result) == ["Paris<|im_end|><|im_end|>", "Paris<|im_end|>"]
    assert any("special token '<|im_end|>' as text" in warning for warning in result.warnings)


def test_an_answer_that_begins_inside_a_token_is_pointed_out(folders: dict[str, Path]) -> None:
    source = "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}" + (
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    result = encoded(chatml(folders, source), example("Hi", "Paris"))
    assert any("begins inside the token" in warning for warning in result.warnings)
    assert "".join(trained(result)).endswith("</s>") and not "".join(trained(result)).startswith(" ")


def test_bos_is_counted(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, llama(), NAMES))
    body = "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    bos = tokenizer.id("bos_token")
    for head, count, said in (("{{ bos_token }}", 1, ""), ("<s><s>", 2, "twice"), ("", 0, "writes none")):
        result = encoded(Encoder(tokenizer, Template("t", head + body)), example("a", "b"))
        assert result.ids.count(bos) == count
        assert any(said in warning for warning in result.warnings) or not said


@pytest.mark.parametrize(
    ("source", "ids", "texts"),
    [
        (PLAIN, ["</s>", "<|im_end|>"], ()),
        (PLAIN.replace("<|im_end|>", "</s>"), ["</s>"], ()),
        (PLAIN.replace("<|im_end|>", "\n### End"), ["</s>"], ("### End",)),
        (PLAIN.replace("<|im_end|>", ""), ["</s>"], ()),
        (PLAIN.replace("<|im_end|>", "<|eot_id|>\n</s>"), ["</s>", "<|eot_id|>"], ()),
    ],
)
def test_what_ends_an_answer(tmp_path: Path, source: str, ids: Sequence[str], texts: tuple[str, ...]) -> None:
    tokenizer = load_tokenizer(write(tmp_path, byte_level(), NAMES))
    encoder = Encoder(tokenizer, Template("t", source))
    assert [tokenizer.token(i) for i in encoder.stop_ids] == ids and encoder.stop_texts == texts


def test_an_end_mark_inside_a_token_that_begins_with_the_blank_before_it(folders: dict[str, Path]) -> None:
    encoder = chatml(folders, PLAIN.replace("<|im_end|>", " Pa"))
    result = encoded(encoder, example("a", "b"))
    assert " Pa" in map(encoder.tokenizer.token, result.ids)
    assert encoder.end_mark == "Pa" and result.stop_trained


def test_without_an_end_mark_the_model_never_learns_to_stop(folders: dict[str, Path]) -> None:
    result = encoded(chatml(folders, PLAIN.replace("<|im_end|>", "")), example("a", "b"))
    assert not result.stop_trained and any("never learns to stop" in warning for warning in result.warnings)
    assert trained(result) == ["b"]  # the blank line after it is not trained


def test_an_end_mark_outside_of_the_generation_tag_is_pointed_out(folders: dict[str, Path]) -> None:
    source = (
        "{% for m in messages %}{{ m.role }}\n{% if m.role == 'assistant' %}"
        "{% generation %}{{ m.content }}{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    )
    result = encoded(chatml(folders, source), example("a", "b"))
    assert trained(result) == ["b"] and not result.stop_trained
    assert any("not the prompt that chat would write" in warning for warning in result.warnings)


def test_a_mark_that_the_base_model_has_no_token_for_is_pointed_out(folders: dict[str, Path]) -> None:
    source = PLAIN.replace("im_end", "finish")
    result = encoded(chatml(folders, source), example("a", "b"))
    assert result.stop_trained and any("has no token for" in warning for warning in result.warnings)
