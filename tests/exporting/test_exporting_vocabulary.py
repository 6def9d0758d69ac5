"""A tokenizer as llama.cpp gets it, and what cannot be said to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench import embedded
from workbench.errors import WorkbenchError
from workbench.exporting.gguf_support import require_support
from workbench.exporting.gguf_vocabulary import TokenType, vocabulary
from workbench.prompts.tokenizer import load_tokenizer

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def written(folder: Path, **changes: Any) -> Path:
    """The embedded model's tokenizer with changes."""
    definition = json.loads((embedded.FOLDER / "tokenizer.json").read_text()) | changes
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    return folder


def sequence(pattern: str) -> dict[str, Any]:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, LEVEL]}


def test_bytes_and_merges(tmp_path: Path) -> None:
    words = vocabulary(load_tokenizer(written(tmp_path, pre_tokenizer=sequence(LLAMA3))), 3080)
    assert (words.model, words.cut, words.remark, words.scores) == ("gpt2", "llama-bpe", "", [])
    assert len(words.tokens) == len(words.types) == 3080 and words.tokens[3079] == "[PAD3079]"
    assert words.types[:3] == [TokenType.CONTROL] * 3 and words.types[3079] == TokenType.UNUSED
    assert words.types[100] == TokenType.NORMAL and len(words.merges) == 2813 and words.merges[0] == "à ¸"


def test_a_cut_that_llama_cpp_does_not_know_is_said() -> None:
    words = vocabulary(load_tokenizer(embedded.FOLDER), 3072)
    assert words.cut == "gpt-2" and "other tokens than the run" in words.remark


def test_byte_level_by_itself_is_gpt_2(tmp_path: Path) -> None:
    words = vocabulary(load_tokenizer(written(tmp_path, pre_tokenizer=LEVEL | {"use_regex": True})), 3072)
    assert (words.cut, words.remark) == ("gpt-2", "")


def test_sentencepiece(tmp_path: Path) -> None:
    """Pieces come in the order of their merges; bytes are bytes."""
    vocab = {"<unk>": 0, "<s>": 1, "<0x0A>": 2, "▁": 3, "a": 4, "b": 5, "ab": 6, "▁ab": 7}
    model = {
        "type": "BPE",
        "unk_token": "<unk>",
        "byte_fallback": True,
        "vocab": vocab,
        "merges": ["a b", "▁ ab"],
    }
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [{"id": n, "content": text, **added} for n, text in enumerate(("<unk>", "<s>"))]
    blank = {"type": "Prepend", "prepend": "▁"}
    folder = written(
        tmp_path, model=model, added_tokens=tokens, normalizer=blank, pre_tokenizer=None, decoder=None
    )
    words = vocabulary(load_tokenizer(folder), 8)
    assert (words.model, words.cut, words.merges, words.blank_first) == ("llama", "default", [], True)
    assert words.scores[6] > words.scores[7] and words.types == [2, 3, 6, 1, 1, 1, 1, 1]


def test_another_kind_is_refused(tmp_path: Path) -> None:
    model = {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}
    whitespace = {"type": "Whitespace"}
    folder = written(tmp_path, model=model, added_tokens=[], pre_tokenizer=whitespace, decoder=None)
    with pytest.raises(WorkbenchError, match="a tokenizer of this kind"):
        vocabulary(load_tokenizer(folder), 2)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "gpt2"}, "the architecture gpt2 is not known"),
        ({"sliding_window": 4096}, "has a sliding window"),
        ({"rope_parameters": {"rope_type": "llama3"}}, r"stretches its positions \(llama3\)"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, r"stretches its positions \(linear\)"),
    ],
)
def test_what_is_not_covered_names_the_command(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    pytest.importorskip("gguf")
    config = json.loads((embedded.FOLDER / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    require_support(tmp_path, "q8_0", tmp_path / "out")
    (tmp_path / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(WorkbenchError, match=rf"{reason}.*convert_hf_to_gguf.py .*--outtype q8_0"):
        require_support(tmp_path, "q8_0", tmp_path / "out")
