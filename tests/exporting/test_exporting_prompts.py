"""The exported prompt is the run's: the template with what the run adds to it, and the same for Ollama."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import embedded
from workbench.data.example import Message
from workbench.exporting.generation import generation_config
from workbench.exporting.modelfile import NOT_DERIVED, go_template, modelfile
from workbench.exporting.portable_template import portable_template, without_marks
from workbench.exporting.prompt_files import TOKENIZER_CONFIG, unsaid, write_prompt_files
from workbench.exporting.turns import turns_of
from workbench.project.sampling import Sampling
from workbench.project.schema import ChatSettings, PromptSettings
from workbench.prompts.blocks import read_blocks
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.template import BUILT_IN, Template, built_in
from workbench.prompts.tokenizer import TEMPLATE_FILE, Tokenizer, load_tokenizer

ONE = [Message("user", "what {text} is it?")]
LONG = [*ONE, Message("assistant", "six"), Message("user", "thanks")]
TOKENIZER = load_tokenizer(embedded.FOLDER)
FIXED = sorted(name for name in BUILT_IN if not name.startswith("emotion"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def encoder_of(name: str, tokenizer: Tokenizer = TOKENIZER, **prompt: object) -> Encoder:
    given_prompt = PromptSettings.model_validate(prompt)
    return Encoder(
        tokenizer, built_in(name), system=given_prompt.system, blocks=read_blocks(given_prompt, Path())
    )


def exported(encoder: Encoder, conversation: list[Message], system: str = "") -> str:
    """What somebody gets who has the exported template, and nothing else."""
    template = Template("exported", portable_template(encoder, system))
    return template.render(conversation, encoder.tokenizer.special, add_generation_prompt=True).text


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("conversation", [ONE, LONG])
def test_system_and_blocks_are_written_into_every_template(name: str, conversation: list[Message]) -> None:
    block = [{"title": "Notes {text}", "text": "it is 'late'\n\"very\""}]
    for prompt in (
        {"system": "Be  brief.\n"},
        {"block": block},
        {"block": block, "block_form": "<{title}>{text}</{title}> {text}", "question": "Ask"},
        {"system": "Be brief", "block": block, "question": "Ask"},
    ):
        encoder = encoder_of(name, **prompt)
        assert exported(encoder, conversation) == encoder.prompt(conversation)[1], prompt
        spoken = [Message("system", "Another"), *conversation]
        assert exported(encoder, spoken) == encoder.prompt(spoken)[1]


@settings(deadline=None)  # a busy box
@given(TEXTS.filter(bool), TEXTS)
def test_whatever_the_system_message_holds(system: str, asked: str) -> None:
    encoder = encoder_of("chatml", system=system)
    assert exported(encoder, [Message("user", asked)]) == encoder.prompt([Message("user", asked)])[1]


def test_the_system_message_of_chat_goes_first() -> None:
    encoder = encoder_of("zephyr", system="of the run")
    expected = encoder.prompt([Message("system", "of chat"), *ONE])[1]
    assert exported(encoder, ONE, system="of chat") == expected


def test_nothing_is_added_where_a_run_adds_nothing() -> None:
    encoder = encoder_of("gemma")
    assert portable_template(encoder, "") == encoder.template.source


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_marks_of_answers_are_taken_out_and_not_a_blank_changes(name: str) -> None:
    template = built_in(name)
    plain = Template("plain", without_marks(template.source))
    assert template.marks_answers and not plain.marks_answers
    for asks in (False, True):
        before, after = (each.render(LONG, TOKENIZER.special, asks).text for each in (template, plain))
        assert before == after


@pytest.mark.parametrize("name", FIXED)
def test_every_fixed_template_is_found_out(name: str) -> None:
    """What is found writes conversations of other texts to the letter."""
    turns = turns_of(built_in(name), TOKENIZER)
    assert turns is not None
    spoken = [Message("system", "Be brief."), *LONG, Message("assistant", "ok"), Message("user", "so?")]
    for conversation in (ONE, LONG, spoken):
        expected = built_in(name).render(conversation, TOKENIZER.special, True).text
        assert turns.write(conversation) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
        "{% for m in messages %}{{ loop.index }}{{ m.content }}{% endfor %}",
        "{{ messages | length }}: {{ messages[-1].content }}",
        "{{ raise_exception('never') }}",
    ],
)
def test_a_template_that_does_more_is_not(source: str) -> None:
    assert turns_of(Template("odd", source), TOKENIZER) is None
    encoder = Encoder(TOKENIZER, Template("odd", source))
    text, remark = modelfile(".", encoder, source, ChatSettings(), None)
    assert remark == NOT_DERIVED and "TEMPLATE" not in text and text.startswith("FROM .\n")


def test_go_template_of_chatml() -> None:
    turns = turns_of(built_in("chatml"), TOKENIZER)
    assert turns is not None
    lines = go_template(turns, "").split("\n")
    assert lines[0] == (
        '{{- if .System }}{{ "<|im_start|>system\\n" }}{{ .System }}'
        '{{ "<|im_end|>\\n<|im_start|>user\\n" }}{{ else }}{{ "<|im_start|>user\\n" }}{{ end }}'
    )
    assert lines[3].endswith('{{ if $last }}{{ "<|im_end|>\\n<|im_start|>assistant\\n" }}{{ end }}')


def test_bos_is_left_to_ollama() -> None:
    turns = turns_of(Template("bos", "<s>{% for m in messages %}[{{ m.content }}]{% endfor %}"), TOKENIZER)
    assert turns is not None and "<s>" in turns.plain and "<s>" not in go_template(turns, "<s>")


def test_a_modelfile_has_what_ends_and_draws_an_answer() -> None:
    encoder = encoder_of("chatml", system="Be brief")
    chat = ChatSettings(temperature=0.2, stop=['a "word"'], repetition_penalty=1.1)
    text, remark = modelfile("./m.gguf", encoder, portable_template(encoder, ""), chat, 512)
    assert remark == "" and '"<|im_start|>system\\nBe brief<|im_end|>\\n' in text
    assert text.startswith("FROM ./m.gguf\nTEMPLATE ") and text.count('"""') == 2
    for line in (
        'stop "<|im_end|>"',
        'stop "a \\"word\\""',
        "temperature 0.2",
        "repeat_penalty 1.1",
        "num_ctx 512",
    ):
        assert f"\nPARAMETER {line}\n" in text


def test_generation_settings() -> None:
    encoder = encoder_of("chatml")
    drawn = generation_config(encoder, ChatSettings(temperature=0.5, top_k=0, stop=["x"]), [7, 1])
    assert drawn["eos_token_id"] == [1, 7] and drawn["pad_token_id"] == 2 and drawn["temperature"] == 0.5
    assert drawn["top_k"] == 0 and drawn["do_sample"] and "stop_strings" not in drawn
    greedy = generation_config(encoder, ChatSettings(temperature=0), [])
    assert greedy["eos_token_id"] == 1 and not greedy["do_sample"] and "temperature" not in greedy
    assert "bos_token_id" not in greedy
    more = ChatSettings(temperature=0, no_repeat_ngram_size=3, min_new_tokens=2, typical_p=0.9)
    held = generation_config(encoder, more, [])
    assert (held["no_repeat_ngram_size"], held["min_new_tokens"], "typical_p" in held) == (3, 2, False)
    assert generation_config(encoder, ChatSettings(typical_p=0.9), [])["typical_p"] == 0.9
    lacking = ChatSettings(stop=["x"], presence_penalty=0.5, frequency_penalty=0.1)
    assert [said[:9] for said in unsaid(lacking)] == ["chat.stop", "chat.pres", "chat.freq"]
    assert unsaid(ChatSettings()) == []


@pytest.mark.parametrize("name", sorted(set(Sampling.model_fields) - {"seed"}))
def test_no_setting_of_sampling_is_left_out_without_a_word(name: str) -> None:
    """Every one that changes an answer is in the generation settings, or it is said that it is not."""
    other: dict[str, Any] = {"stop": ["x"], "top_k": 5, "temperature": 0.3, "max_new_tokens": 7}
    changed = ChatSettings(**{name: other.get(name, 3 if name.startswith(("no_", "min_new")) else 0.5)})
    encoder = encoder_of("chatml")
    usual = generation_config(encoder, ChatSettings(), []), unsaid(ChatSettings())
    assert (generation_config(encoder, changed, []), unsaid(changed)) != usual


def test_one_place_for_the_template(tmp_path: Path) -> None:
    """A tokenizer_config.json with a template of its own would win in some programs."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    for name in ("tokenizer.json", TOKENIZER_CONFIG):
        (source / name).write_bytes((embedded.FOLDER / name).read_bytes())
    config = json.loads((source / TOKENIZER_CONFIG).read_text())
    (source / TOKENIZER_CONFIG).write_text(json.dumps(config | {"chat_template": "old"}))
    encoder = encoder_of("zephyr", load_tokenizer(source))
    write_prompt_files(out, encoder, "new", ChatSettings(), [])
    assert json.loads((out / TOKENIZER_CONFIG).read_text()) == config
    assert (out / TEMPLATE_FILE).read_text() == "new"
    assert (out / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
