"""Chat templates are foreign code: sandboxed, bounded, and their errors name file and line."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_tokenizers import byte_level, write

from workbench.data.example import Message
from workbench.errors import WorkbenchError
from workbench.prompts.template import BUILT_IN, Template, TemplateFault, load_template
from workbench.prompts.tokenizer import load_tokenizer

CHAT = (Message("user", "Hi"), Message("assistant", "Yo"))
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


def render(source: str, messages: Sequence[Message] = CHAT) -> str:
    return Template("t", source, "t.jinja").render(messages, SPECIAL).text


ALPACA = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request."
)
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)

TAIWAN = (
    "你是人工智慧助理，以下是用戶和人工智能助理之間的對話。你要對用戶的問題提供有用、安全、詳細和禮貌的回答。"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chatml", "<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"),
        ("llama-2", "<s>[INST] Hi [/INST] Yo </s>"),
        (
            "llama-3",
            "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nYo<|eot_id|>",
        ),
        ("mistral", "<s>[INST] Hi [/INST] Yo</s>"),
        ("vicuna", f"<s>{VICUNA} USER: Hi ASSISTANT: Yo</s>"),
        ("alpaca", f"<s>{ALPACA}\n\n### Instruction:\nHi\n\n### Response:\nYo</s>"),
        ("zephyr", "<s><|user|>\nHi</s>\n<|assistant|>\nYo</s>\n"),
        ("taiwan-llm", f"{TAIWAN}</s>USER: Hi</s>ASSISTANT: Yo</s>"),
        ("plain", "<s>Hi\n\n###\n\n Yo</s>"),
        ("gemma", "<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYo<end_of_turn>\n"),
    ],
)
def test_what_the_built_in_templates_write(name: str, text: str) -> None:
    assert render(BUILT_IN[name].read_text()) == text


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_template_takes_a_system_message_and_a_tokenizer_without_bos(name: str) -> None:
    template = Template(name, BUILT_IN[name].read_text())
    text = template.render((Message("system", "Be kind."), *CHAT, *CHAT), {"eos_token": "</s>"}).text
    assert text.count("Be kind.") == 1 and text.count("Yo") == 2 and "<s>" not in text


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ 10 ** 100000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'a'.center(10**9) }}",
        "{{ 'a'|center(10**9) }}",
        "{{ 'a'|indent(width=10**9, first=true) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ [1]|batch(10**9, 'x')|list }}",
        "{{ ('a' * 9000000).join(range(400)|map('string')) }}",
        "{{ range(400)|join('a' * 9000000) }}",
        "{{ ('a' * 9000000).replace('a', 'b' * 300) }}",
        "{{ ('a' * 9000000)|replace('a', 'b' * 300) }}",
        "{{ range(99999)|list|tojson(indent=100000) }}",
        "{% for i in range(90000) %}{{ 'a' * 90000 }}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_no_template_hangs_or_fills_the_memory(source: str) -> None:
    begun = time.thread_time()
    with pytest.raises(TemplateFault, match=r"t\.jinja"):
        render(source)
    assert time.thread_time() - begun < 20


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ raise_exception.__globals__ }}",
        "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_the_sandbox_holds(source: str) -> None:
    with pytest.raises(TemplateFault):
        assert "root" not in render(source)
        raise TemplateFault("an undefined attribute renders as nothing", "")


def test_a_refusal_is_told_from_a_mistake() -> None:
    with pytest.raises(TemplateFault, match=r"t\.jinja:2: only cats") as refused:
        render("\n{{ raise_exception('only cats') }}")
    with pytest.raises(TemplateFault, match=r"t\.jinja:3: .*nothing.* is undefined") as mistaken:
        render("\n\n{{ nothing.at.all }}")
    assert refused.value.refused and not mistaken.value.refused


def test_syntax_errors_name_file_and_line() -> None:
    with pytest.raises(TemplateFault, match=r"t\.jinja:2: not a valid template"):
        render("a\n{% for %}")


def test_a_fault_leaves_the_template_usable() -> None:
    template = Template("t", "{% generation %}{{ messages[0].content | trim }}{% endgeneration %}")
    with pytest.raises(TemplateFault):
        template.render((), {})
    rendered = template.render(CHAT, {})
    assert (rendered.text, rendered.spans) == ("Hi", [(0, 2)])


def test_the_date_is_noticed() -> None:
    assert Template("t", "{{ strftime_now('%Y') }}").render(CHAT, {}).read_clock
    assert not Template("t", "x").render(CHAT, {}).read_clock


def test_choosing_a_template(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path / "base", byte_level(), {}, "own {{ messages }}"))
    (tmp_path / "mine.jinja").write_text("\ufeffmine")
    assert load_template("base", tmp_path, tokenizer).source == "own {{ messages }}"
    assert load_template("mine.jinja", tmp_path, tokenizer).source == "mine"
    assert load_template("chatml", tmp_path, tokenizer).name == "chatml"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("base", "no chat template.*one of: .*chatml"),
        ("chatmll", "did you mean chatml"),
        ("zzz", "one of: .*vicuna"),
        ("templates/none.jinja", "no such template file"),
        ("broken.jinja", r"broken\.jinja:1: not a valid template"),
    ],
)
def test_a_template_that_cannot_be_had(tmp_path: Path, setting: str, said: str) -> None:
    tokenizer = load_tokenizer(write(tmp_path / "base", byte_level(), {}))
    (tmp_path / "broken.jinja").write_text("{% if %}")
    with pytest.raises(WorkbenchError, match=said):
        load_template(setting, tmp_path, tokenizer)


@pytest.mark.parametrize("setting", ["~nobody-of-this-name/x.jinja", "x" * 300, "x" * 300 + ".jinja"])
def test_a_setting_that_no_file_can_be_called_is_a_fault(setting: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no such template file|unknown template"):
        load_template(setting, tmp_path, load_tokenizer(write(tmp_path, byte_level(), {})))
