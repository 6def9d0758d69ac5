"""Ids and masks are those of transformers' `apply_chat_template`, which this room does without."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from test_prompts_encode import conversations, encoded, encoder_for, example, rejected, spoken, tokenizer_of

from workbench.data.example import Example, Message
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import BUILT_IN, Template

os.environ["HF_HUB_OFFLINE"] = "1"
transformers = pytest.importorskip("transformers")
st = pytest.importorskip("hypothesis.strategies")

QWEN_LIKE = (
    "{%- for m in messages %}{%- if m.role == 'assistant' %}\n<|im_start|>assistant\n"
    "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}\n"
    "{%- else %}{{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content | tojson ~ '<|im_end|>' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}\n<|im_start|>assistant\n{%- endif %}"
)
TEMPLATES = {name: file.read_text() for name, file in BUILT_IN.items()} | {"qwen-like": QWEN_LIKE}


@cache
def theirs(folder: Path) -> Any:
    return transformers.PreTrainedTokenizerFast.from_pretrained(str(folder))


def _lost(tokenizer: Any, encoder: Encoder, row: Example) -> bool:
    """transformers leaves an answer out of its mask when its first or last character belongs to no token."""
    rendered = encoder.template.render(row.messages, encoder.tokenizer.special)
    encoding = tokenizer(rendered.text, add_special_tokens=False)
    return any(encoding.char_to_token(at) is None for a, b in rendered.spans or () for at in (a, b - 1))


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", ["byte_level", "llama", "word_piece"])
@given(turns=conversations, system=st.none() | spoken)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_ids_and_mask_are_those_of_transformers(
    folders: dict[str, Path], family: str, name: str, turns: list[str], system: str | None
) -> None:
    encoder = encoder_for(folders[family], TEMPLATES[name])
    row = example(*turns, system=system)
    messages = [{"role": message.role, "content": message.content} for message in row.messages]
    expected = theirs(folders[family]).apply_chat_template(
        messages,
        chat_template=TEMPLATES[name],
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    result = encoded(encoder, row)
    assert result.ids == expected["input_ids"]
    if not _lost(theirs(folders[family]), encoder, row):
        begins = {i for i, on in enumerate(result.mask) if on and not result.mask[i - 1]}
        for i, (ours, other) in enumerate(zip(result.mask, expected["assistant_masks"], strict=True)):
            # A token that also holds what stands before the answer is trained there, and not here
            assert ours == other or (not ours and i + 1 in begins)
    assert tokenizer_of(folders[family]).decode(result.ids) == theirs(folders[family]).decode(result.ids)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", ["byte_level", "llama", "word_piece"])
@given(turns=conversations, system=st.none() | spoken)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_prompt_is_that_of_transformers(
    folders: dict[str, Path], family: str, name: str, turns: list[str], system: str | None
) -> None:
    messages = example(*turns, system=system).messages[:-1]
    expected = theirs(folders[family]).apply_chat_template(
        [{"role": message.role, "content": message.content} for message in messages],
        chat_template=TEMPLATES[name],
        tokenize=True,
        add_generation_prompt=True,
        return_dict=True,
    )
    assert encoder_for(folders[family], TEMPLATES[name]).prompt(messages)[0] == expected["input_ids"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ bos_token }}{{ messages | tojson(indent=2) }}",
        "{% for m in messages %}{% if loop.last %}{% break %}{% endif %}{{ m.content.strip() }}{% endfor %}",
        "{{ messages[-1]['content'][:1] ~ eos_token ~ pad_token }}",
        "{% if tools %}t{% endif %}{{ strftime_now('%Y') }}{{ namespace(a=1).a }}{{ dict(a=2).a }}",
        "   {% if true %}\n  x\n  {% endif %}\n{#- c -#} y",
        "{{ 3 * 'ab' + 'c' }} {{ 7 % 4 }} {{ 2 ** 10 }} {{ '%s-%05d' % ('a', 3) }} {{ [1] + [2] }}",
    ],
)
def test_the_language_is_that_of_transformers(folders: dict[str, Path], source: str) -> None:
    messages = [{"role": "user", "content": " Hi ที่\n"}, {"role": "assistant", "content": "Yo <b>"}]
    expected = theirs(folders["llama"]).apply_chat_template(messages, chat_template=source, tokenize=False)
    template = Template("t", source)
    given = tuple(Message(m["role"], m["content"]) for m in messages)  # type: ignore[arg-type]
    assert template.render(given, tokenizer_of(folders["llama"]).special).text == expected


def test_a_template_that_transformers_refuses_is_refused(folders: dict[str, Path]) -> None:
    source = "{% set ns = namespace() %}{% set ns._x = 1 %}{{ messages }}"
    with pytest.raises(Exception, match="underscore"):
        theirs(folders["llama"]).apply_chat_template([{"role": "user", "content": "a"}], chat_template=source)
    encoder = Encoder(tokenizer_of(folders["llama"]), Template("t", source))
    assert "underscore" in rejected(encoder, example("a", "b")).detail
