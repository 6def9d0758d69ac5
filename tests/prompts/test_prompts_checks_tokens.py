"""Findings about tokens and templates, with tokenizers and templates that have the fault."""

from pathlib import Path

import pytest
from small_tokenizers import NAMES, byte_level, llama, word_piece, write
from surveyed import facts_of, findings, project, rows

GOOD = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
PROMPT = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
BARE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
BARE_PROMPT = "{% if add_generation_prompt %}assistant: {% endif %}"


def based(folder: Path, template: str, kind: str = "byte_level", **config: object) -> str:
    """`[model]` on a tokenizer of ours with a template of its own."""
    made = {"byte_level": byte_level, "llama": llama, "word_piece": word_piece}[kind]()
    write(folder, made, {**NAMES, **config}, template)
    return f'[model]\nbase = "{folder}"\n'


def test_a_fitting_template_has_no_findings(tmp_path: Path) -> None:
    base = based(tmp_path / "base", GOOD + PROMPT)
    assert set(findings(project(tmp_path / "p", rows(150), more=base))) == {"schedule"}


def test_rows_without_supervised_tokens(tmp_path: Path) -> None:
    refusing = "{% if 'lantern' in messages[0].content %}{{ raise_exception('no lanterns') }}{% endif %}"
    base = based(tmp_path / "base", refusing + GOOD + PROMPT)
    plain = [row for row in rows(200) if "lantern" not in row["user"]][:120]
    odd = [{"user": f"a lantern {i}", "assistant": "yes"} for i in range(3)]
    found = findings(project(tmp_path / "p", plain + odd, more=base + "[data]\nvalidation = 0"))
    assert facts_of(found["no-supervised"]) == ("yellow", 3)
    assert (
        "3 x template refuses" in found["no-supervised"].what and "no lanterns" in found["no-supervised"].hint
    )
    found = findings(project(tmp_path / "q", plain[:6] + odd, more=base + "[data]\nvalidation = 0"))
    assert found["no-supervised"].blocks


@pytest.mark.parametrize(("long", "level"), [(1, "note"), (6, "yellow"), (60, "red")])
def test_rows_that_are_too_long(tmp_path: Path, long: int, level: str) -> None:
    longer = [row | {"assistant": row["assistant"] * 40} for row in rows(long, 1)]
    found = findings(
        project(tmp_path / "p", rows(120) + longer, more="[data]\nvalidation = 0\nmax_tokens = 512")
    )
    assert facts_of(found["too-long"]) == (level, long) and "left out" in found["too-long"].what
    assert found["too-long"].rows[0] == (0, 120)
    cut = '[data]\nvalidation = 0\nmax_tokens = 512\noverlong = "truncate"'
    found = findings(project(tmp_path / "q", rows(120) + longer, more=cut))
    assert facts_of(found["truncated"]) == (level, long)
    lose = "loses the end of its" if long == 1 else "lose the end of their"
    assert f"{long} {lose} answer" in found["truncated"].what
    refused = findings(project(tmp_path / "r", rows(120) + longer, more=cut.replace("truncate", "error")))
    assert refused["too-long"].level == "red"


def test_rows_longer_than_the_base_model_can_read(tmp_path: Path) -> None:
    base = based(tmp_path / "base", GOOD + PROMPT)
    (tmp_path / "base" / "config.json").write_text('{"max_position_embeddings": 600}')
    long = {"user": "word " * 300, "assistant": "yes"}
    more = f"{base}[data]\nvalidation = 0\nmax_tokens = "
    found = findings(project(tmp_path / "p", [*rows(120), long], more=f"{more}4096"))
    assert found["context"].level == "red" and found["context"].rows == [(0, 120)]
    assert "600 or less" in found["context"].hint
    found = findings(project(tmp_path / "q", [*rows(120), long], more=f"{more}600"))
    assert "context" not in found and found["too-long"].rows == [(0, 120)]
    found = findings(project(tmp_path / "r", rows(120) + [long] * 9, more=f"{more}100"))
    assert found["too-long"].hint == "data.max_tokens = 600 is all that the base model can take"


def test_an_answer_that_is_cut_off_whole(tmp_path: Path) -> None:
    longer = [row | {"user": row["user"] * 60} for row in rows(3, 1)]
    cut = '[data]\nvalidation = 0\nmax_tokens = 512\noverlong = "truncate"'
    found = findings(project(tmp_path / "p", rows(120) + longer, more=cut))
    assert facts_of(found["no-supervised"]) == ("yellow", 3)
    assert "3 x cut off before the answer" in found["no-supervised"].what


def test_a_template_without_an_end_mark_trains_no_stop(tmp_path: Path) -> None:
    base = based(tmp_path / "base", BARE + BARE_PROMPT)
    found = findings(project(tmp_path / "p", rows(150), more=base))
    assert found["stop-not-trained"].blocks and "no row trains a stop mark" in found["stop-not-trained"].what


def test_some_rows_without_a_stop(tmp_path: Path) -> None:
    """Padding with the end-of-text token takes nothing away here; leaving the mark out of a row does."""
    unclosed = GOOD.replace("<|im_end|>", "{% if 'lantern' not in m.content %}<|im_end|>{% endif %}")
    base = based(tmp_path / "base", unclosed + PROMPT, pad_token="</s>")
    with_lantern = sum("lantern" in row["assistant"] for row in rows(150))
    found = findings(project(tmp_path / "p", rows(150), more=base + "[data]\nvalidation = 0"))
    assert facts_of(found["stop-not-trained"]) == ("yellow", with_lantern)


def test_doubled_beginning_and_end(tmp_path: Path) -> None:
    twice = "{{ bos_token }}{{ bos_token }}" + GOOD.replace("<|im_end|>", "<|im_end|> <|im_end|>")
    found = findings(project(tmp_path / "p", rows(150), more=based(tmp_path / "base", twice + PROMPT)))
    assert found["double-bos"].blocks and found["double-eos"].blocks
    ended = rows(150, assistant="{assistant} </s>")
    template = GOOD.replace("<|im_end|>", "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}")
    base = based(tmp_path / "other", template + PROMPT)
    assert findings(project(tmp_path / "q", ended, more=base))["double-eos"].level == "red"
    once = based(tmp_path / "once", "{{ bos_token }}" + GOOD + PROMPT)
    assert set(findings(project(tmp_path / "r", rows(150), more=once))) == {"schedule"}


def test_bos_that_is_eos_may_stand_beside_itself(tmp_path: Path) -> None:
    template = GOOD.replace("<|im_end|>", "</s>") + "{{ bos_token }}" + PROMPT
    base = based(tmp_path / "base", template, bos_token="</s>")
    assert not {"double-bos", "double-eos"} & set(findings(project(tmp_path / "p", rows(150), more=base)))


def test_chat_whose_prompt_has_other_tokens(tmp_path: Path) -> None:
    """A blank after the mark is a token of its own in chat, and part of the first word in training."""
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    base = based(tmp_path / "base", template + BARE_PROMPT)
    the = rows(150, assistant="the {assistant}")
    found = findings(project(tmp_path / "p", the, more=base))
    assert found["generation-prompt"].level == "yellow" and "with a blank" in found["generation-prompt"].what


def test_system_messages_that_chat_does_not_send(tmp_path: Path) -> None:
    system = '[prompt]\nsystem = "Be brief."\n[chat]\nsystem = "{}"'
    found = findings(project(tmp_path / "p", rows(150), more=system.format("Be long.")))
    assert found["system-differs"].level == "yellow" and "'Be long.'" in found["system-differs"].what
    for same in ("", "Be brief."):
        assert "system-differs" not in findings(
            project(tmp_path / f"s{same}", rows(150), more=system.format(same))
        )
    own = {0: 'system = "You are a guide."'}
    found = findings(project(tmp_path / "q", rows(150), source=own))
    assert "100% of the rows have a system message" in found["system-differs"].what
    assert "'You are a guide.'" in found["system-differs"].hint
    sent = '[chat]\nsystem = "You are a guide."'
    assert "system-differs" in findings(project(tmp_path / "r", rows(150), source=own, more=sent))


def test_pieces_the_tokenizer_does_not_know(tmp_path: Path) -> None:
    base = based(tmp_path / "base", GOOD + PROMPT, "word_piece")
    odd = [{"user": "ﷺ", "assistant": "༄༅"}]
    found = findings(project(tmp_path / "p", odd, more=base))
    assert facts_of(found["unknown-tokens"]) == ("yellow", 1)


def test_an_end_mark_the_tokenizer_has_no_token_for(tmp_path: Path) -> None:
    base = based(tmp_path / "base", GOOD.replace("<|im_end|>", "<|done|>") + PROMPT)
    found = findings(project(tmp_path / "p", rows(150), more=base))
    assert found["no-template-token"].level == "yellow" and "'<|done|>'" in found["no-template-token"].what


def test_a_template_that_reads_the_clock(tmp_path: Path) -> None:
    base = based(tmp_path / "base", "{{ strftime_now('%d %b %Y') }}\n" + GOOD + PROMPT)
    assert findings(project(tmp_path / "p", rows(150), more=base))["template-clock"].level == "yellow"


def test_a_base_model_that_knows_texts_with_a_beginning(tmp_path: Path) -> None:
    base = based(tmp_path / "base", GOOD + PROMPT, "llama")
    found = findings(project(tmp_path / "p", rows(150), more=base))
    assert found["no-bos"].level == "note" and "<s>" in found["no-bos"].what
