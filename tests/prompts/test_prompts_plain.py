"""Texts without a template, legacy prompt and completion, rows without an answer, special tokens."""

import json
from pathlib import Path

import pytest
from small_tokenizers import NAMES, byte_level, llama, write
from test_prompts_encode import PLAIN, encoded, example, rejected, tokenizer_of, trained

from workbench.data.example import Example, Message, Origin
from workbench.project.schema import PromptSettings
from workbench.prompts.encoding.encode import Encoder
from workbench.prompts.encoding.limits import Limits
from workbench.prompts.special_tokens import consequences
from workbench.prompts.template import Template, load_template
from workbench.prompts.tokenizer import load_tokenizer


def text_row(text: str) -> Example:
    return Example((Message("assistant", text),), Origin(0, 0), plain=True)


def test_a_text_is_trained_between_bos_and_eos(folders: dict[str, Path]) -> None:
    tokenizer = tokenizer_of(folders["llama"])
    result = encoded(
        Encoder(tokenizer, Template("t", "{{ nonsense.of.all }}"), system="s"), text_row("The fox")
    )
    ids = tokenizer.encode("The fox")[0]
    assert result.ids == [tokenizer.id("bos_token"), *ids, tokenizer.eos_id]
    assert result.text == "<s>The fox</s>" and set(result.mask) == {1} and result.stop_trained
    assert result.text[slice(*result.spans[-1])] == "</s>" and not result.warnings


def test_a_tokenizer_that_puts_no_bos_first_gets_none(folders: dict[str, Path]) -> None:
    assert encoded(
        Encoder(tokenizer_of(folders["byte_level"]), Template("t", PLAIN)), text_row("Hi")
    ).text == ("Hi</s>")


def test_a_text_without_an_end_of_text_is_pointed_out(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, byte_level(), {}))
    result = encoded(Encoder(tokenizer, Template("t", PLAIN)), text_row("Hi"))
    assert not result.stop_trained and any("never learns to stop" in line for line in result.warnings)


def test_a_text_over_the_limit(folders: dict[str, Path]) -> None:
    tokenizer, row = tokenizer_of(folders["llama"]), text_row("fox " * 30)
    assert rejected(Encoder(tokenizer, Template("t", PLAIN), limits=Limits(9)), row).reason == "too long"
    cut = encoded(Encoder(tokenizer, Template("t", PLAIN), limits=Limits(9, overlong="truncate")), row)
    assert len(cut.ids) == 9 and not cut.stop_trained and cut.truncated > 0


@pytest.mark.parametrize("stop", ["", " END", "\n", "#END", '"%}🙂\\'])
@pytest.mark.parametrize("separator", ["\n\n###\n\n", " ->", '{{ x }} "\\n🙂%}'])
@pytest.mark.parametrize("family", ["byte_level", "llama"])
def test_prompt_and_completion(folders: dict[str, Path], family: str, separator: str, stop: str) -> None:
    tokenizer = tokenizer_of(folders[family])
    prompt = PromptSettings(template="plain", separator=separator, stop=stop)
    made = Encoder(tokenizer, load_template("plain", Path(), tokenizer, prompt))
    result = encoded(made, example("Chào", "Vâng"))
    assert result.text == f"<s>Chào{separator} Vâng{stop or '</s>'}"
    assert trained(result) == [f" Vâng{stop or '</s>'}"] and result.stop_trained
    assert made.prompt([Message("user", "Chào")])[1] == f"<s>Chào{separator}"
    assert (tokenizer.eos_id in made.stop_ids) and made.end_mark == (stop.strip() or stop or "</s>")


def test_the_source_of_a_run_repeats_its_separator(folders: dict[str, Path]) -> None:
    tokenizer = tokenizer_of(folders["llama"])
    prompt = PromptSettings(template="plain", separator=" ->")
    source = load_template("plain", Path(), tokenizer, prompt).source
    assert encoded(Encoder(tokenizer, Template("plain", source)), example("a", "b")).text == "<s>a -> b</s>"


def test_a_row_without_an_answer_is_its_prompt(folders: dict[str, Path]) -> None:
    made = Encoder(tokenizer_of(folders["byte_level"]), Template("t", PLAIN), train_on="all")
    row = example("a", "one", "b")
    result = encoded(made, row)
    assert result.ids == made.prompt(row.messages)[0] and set(result.mask) == {0}
    assert not result.stop_trained and any("no answer" in line for line in result.warnings)


def test_special_tokens_follow_the_vocabulary(tmp_path: Path) -> None:
    folder = write(tmp_path, llama(), NAMES)
    before = load_tokenizer(folder)
    tokenizer = load_tokenizer(folder, ["[A]", "<s>", "[/A]", "[A]"])
    assert tokenizer.added == ("[A]", "[/A]") and tokenizer.size == before.size + 2
    ids, _ = tokenizer.encode("x[A]y[/A]")
    assert [i for i in ids if i >= before.size] == [before.size, before.size + 1]
    assert before.size in tokenizer.special_ids and tokenizer.token(before.size) == "[A]"


def test_doubled_ends_and_literal_escapes_are_pointed_out(folders: dict[str, Path]) -> None:
    source = (
        "{% for m in messages %}{{ m.role }}:\\n{{ m.content }}</s>"
        "{% if loop.last and m.role == 'assistant' %}</s>{% endif %}{% endfor %}"
    )
    warnings = encoded(
        Encoder(tokenizer_of(folders["llama"]), Template("t", source)), example("a", "b")
    ).warnings
    assert any("ends with </s> twice" in line for line in warnings)
    assert any("as two characters" in line for line in warnings)


@pytest.mark.parametrize(
    ("config", "method", "said"),
    [
        ({"vocab_size": 420, "hidden_size": 1024}, "lora", ["420 to 422 rows", "grows by 1.6 MiB"]),
        (
            {"vocab_size": 420, "hidden_size": 1024, "tie_word_embeddings": False},
            "lora",
            ["embeddings and head are trained", "3.3 MiB"],
        ),
        ({"vocab_size": 512, "hidden_size": 64}, "full", ["keep their 512 rows"]),
        ({}, "lora", []),
    ],
)
def test_what_special_tokens_change_is_said(
    tmp_path: Path, config: dict[str, object], method: str, said: list[str]
) -> None:
    folder = write(tmp_path, byte_level(), NAMES)
    (folder / "config.json").write_text(json.dumps(config))
    asked = ["[A]", "</s>", "[/A]"]
    text = "\n".join(consequences(load_tokenizer(folder, asked), asked, method))
    assert "already: </s>" in text and "2 added, with ids from 420: [A], [/A]" in text
    assert all(part in text for part in said)
    assert consequences(load_tokenizer(folder), [], method) == []
