"""Tokenising by remembered pieces gives the ids of the tokenizer itself."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import NAMES, byte_level, llama, word_piece, write
from test_prompts_encode import HARD, tokenizer_of
from tokenizers import Regex, Tokenizer, pre_tokenizers

from workbench.errors import WorkbenchError
from workbench.project.base_model import locate
from workbench.prompts.encoding.pieces import _KNOWN_RULES

SPICES = [
    *HARD,
    "the",
    " the",
    "  fox",
    "a b",
    "\n\n ",
    "!\n",
    "it's",
    " 12345",
    "x\ny",
    "▁",
    "\u3000",
    "翻译 成",
    "\0",
    "   ",
]
texts = st.lists(st.sampled_from(SPICES) | st.text(max_size=5), max_size=12).map("".join)


def sentence_pieces() -> Tokenizer:
    """As Llama 2, with a vocabulary of words: a blank only stands at the beginning of a piece."""
    tokenizer = llama()
    definition = json.loads(tokenizer.to_str())
    vocabulary = definition["model"]["vocab"]
    kept = {text for text in vocabulary if "▁" not in text.lstrip("▁")}
    definition["model"]["vocab"] = {text: n for n, text in enumerate(t for t in vocabulary if t in kept)}
    merges = definition["model"]["merges"]
    definition["model"]["merges"] = [m for m in merges if "".join(m) in kept and set(m) <= kept]
    for token in definition["added_tokens"]:
        token["id"] = definition["model"]["vocab"][token["content"]]
    return Tokenizer.from_str(json.dumps(definition))


def metaspace() -> Tokenizer:
    """As Mistral: the blank is put before the text alone."""
    tokenizer = sentence_pieces()
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer


def split_by(rule: str) -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rule), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


BACKENDS = {
    "gpt 2": byte_level,
    "llama 2": sentence_pieces,
    "mistral": metaspace,
    **{f"rule {n}": lambda rule=rule: split_by(rule) for n, rule in enumerate(filter(None, _KNOWN_RULES))},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("pieces")
    return {name: write(root / name, make(), NAMES) for name, make in BACKENDS.items()} | {
        "embedded": locate("embedded", root).folder
    }


@pytest.mark.parametrize("name", [*BACKENDS, "embedded"])
@given(rows=st.lists(texts, min_size=1, max_size=3))
def test_the_ids_are_those_of_one_text_after_another(
    made: dict[str, Path], name: str, rows: list[str]
) -> None:
    tokenizer = tokenizer_of(made[name])
    assert tokenizer.pieces is not None
    rows = [row for row in rows if row.isprintable() or "\ud800" not in row]
    assert [list(ids) for ids in tokenizer.encode_batch(rows)] == [tokenizer.encode(row)[0] for row in rows]


def test_what_cannot_be_cut_is_tokenised_whole(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(write(tmp_path / "words", word_piece(), NAMES))
    assert tokenizer.pieces is None
    assert [list(ids) for ids in tokenizer.encode_batch(["the fox", ""])] == [
        tokenizer.encode("the fox")[0],
        [],
    ]
    unknown = tokenizer_of(write(tmp_path / "unknown", split_by(r"\w+|\W+"), NAMES))
    assert unknown.pieces is None


def test_half_a_surrogate_pair_is_an_error(made: dict[str, Path]) -> None:
    for name in made:
        with pytest.raises(WorkbenchError, match="surrogate"):
            tokenizer_of(made[name]).encode_batch(["ok", "a\ud83d"])
