"""The tokenizer without transformers: ids, spans, shown forms, and errors a person can act on."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import NAMES, byte_level, llama, write

from workbench.errors import WorkbenchError
from workbench.prompts.tokenizer import Tokenizer, load_tokenizer

FAMILIES = ("byte_level", "llama", "word_piece")
_loaded: dict[Path, Tokenizer] = {}


def loaded(folder: Path) -> Tokenizer:
    return _loaded.setdefault(folder, load_tokenizer(folder))


def test_no_special_tokens_are_added(folders: dict[str, Path]) -> None:
    tokenizer = loaded(folders["llama"])
    assert tokenizer.adds_bos
    assert tokenizer.encode("Paris")[0][0] != tokenizer.id("bos_token")
    assert tokenizer.encode("<s>Paris")[0].count(tokenizer.id("bos_token")) == 1


@given(text=st.text())
def test_byte_level_spans_tile_the_text_and_ids_decode_to_it(folders: dict[str, Path], text: str) -> None:
    tokenizer = loaded(folders["byte_level"])
    ids, spans = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    reached = 0
    for start, end in spans:
        assert start <= reached and end > start  # a token of part of a character spans the whole of it
        reached = max(reached, end)
    assert reached == len(text)


@pytest.mark.parametrize("family", FAMILIES)
@given(text=st.text())
def test_spans_never_go_back(folders: dict[str, Path], family: str, text: str) -> None:
    _, spans = loaded(folders[family]).encode(text)
    starts = [start for start, _ in spans]
    assert starts == sorted(starts)
    assert all(0 <= start <= end <= len(text) for start, end in spans)


@pytest.mark.parametrize("family", FAMILIES)
@given(text=st.text())
def test_a_shown_token_is_whole_text(folders: dict[str, Path], family: str, text: str) -> None:
    tokenizer = loaded(folders[family])
    for i in tokenizer.encode(text)[0]:
        shown = tokenizer.token(i)
        assert shown and (("\ufffd" not in shown) or "\ufffd" in text)
        shown.encode("utf-8")


def test_a_blank_before_a_word_belongs_to_its_span(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, byte_level(trim_offsets=True), {}))
    _, spans = tokenizer.encode("fox jumps")
    assert spans[0][0] == 0 and all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(("family", "shown"), [("byte_level", "<0xF0>"), ("llama", "<0xF0>")])
def test_part_of_a_character_is_shown_as_bytes(folders: dict[str, Path], family: str, shown: str) -> None:
    tokenizer = loaded(folders[family])
    assert "".join(map(tokenizer.token, tokenizer.encode("𓂀")[0])).strip() == "<0xF0><0x93><0x82><0x80>"
    assert tokenizer.token(tokenizer.encode("<|im_end|>")[0][0]) == "<|im_end|>"


def test_half_a_surrogate_pair_is_an_error(folders: dict[str, Path]) -> None:
    with pytest.raises(WorkbenchError, match="character 2"):
        loaded(folders["llama"]).encode("ab\ud83d")


def test_tokens_that_only_the_config_lists_are_added(tmp_path: Path) -> None:
    backend = byte_level()
    size = backend.get_vocab_size()
    added = {str(size): {"content": "<|tool|>", "special": True}, str(size + 9): {"content": "<|gap|>"}}
    tokenizer = load_tokenizer(write(tmp_path, backend, {**NAMES, "added_tokens_decoder": added}))
    assert tokenizer.encode("a<|tool|>")[0][-1] == size and size in tokenizer.special_ids
    assert len(tokenizer.encode("<|gap|>")[0]) > 1  # its id would not be the one listed


def test_no_tokenizer_json(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(b"x")
    with pytest.raises(WorkbenchError, match="there is tokenizer.model.*only fast tokenizers"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("{}", "not a tokenizer"),
        ("", "not a tokenizer"),
    ],
)
def test_a_broken_tokenizer_json(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(WorkbenchError, match=said):
        load_tokenizer(tmp_path)


def test_a_broken_config_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, byte_level(), {})
    (tmp_path / "tokenizer_config.json").write_text('{\n"eos_token": }')
    with pytest.raises(WorkbenchError, match=r"tokenizer_config\.json:2"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("chat_template.jinja", "own"),
        ("chat_template.json", json.dumps({"chat_template": "own"})),
        ("tokenizer_config.json", json.dumps({"chat_template": "own"})),
        (
            "tokenizer_config.json",
            json.dumps(
                {"chat_template": [{"name": "rag", "template": "x"}, {"name": "default", "template": "own"}]}
            ),
        ),
    ],
)
def test_where_a_base_model_keeps_its_template(tmp_path: Path, file: str, content: str) -> None:
    write(tmp_path, byte_level(), {})
    (tmp_path / file).write_text(content)
    tokenizer = load_tokenizer(tmp_path)
    assert (tokenizer.chat_template, tokenizer.template_file) == ("own", tmp_path / file)


def test_a_named_token_that_the_vocabulary_lacks_has_no_id(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, byte_level(), {"eos_token": {"content": "<|nowhere|>"}}))
    assert tokenizer.special["eos_token"] == "<|nowhere|>" and tokenizer.eos_id is None


def test_a_tokenizer_that_transformers_5_rebuilds_is_known(tmp_path: Path) -> None:
    config = {**NAMES, "tokenizer_class": "LlamaTokenizer"}
    assert load_tokenizer(write(tmp_path / "a", llama(), {**config, "legacy": False})).disputed
    assert not load_tokenizer(write(tmp_path / "b", llama(), {**config, "legacy": True})).disputed
    assert not load_tokenizer(write(tmp_path / "c", byte_level(), {**config, "legacy": False})).disputed
