"""tokenizer.json as the vocabulary of a GGUF file.

Source of names and numbers: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, llama.cpp's llama.h.
"""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from workbench.errors import fault
from workbench.prompts.tokenizer import Tokenizer


class TokenType(IntEnum):
    """llama.cpp's enum llama_token_type."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_CUTS = {
    rf"{_ENDINGS}|{_WORDS}|\p{{N}}{{1,3}}|{_REST}": "llama-bpe",
    rf"{_ENDINGS}|{_WORDS}|\p{{N}}|{_REST}": "qwen2",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt-2",
}
"""How a text is cut before its tokens are found, to llama.cpp's name for it."""

_USUAL_CUT = "gpt-2"
_BLANK = "▁"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF file holds of a tokenizer.

    Attributes:
        model: `gpt2` for byte-level BPE, `llama` for SentencePiece's BPE.
        tokens: [V] texts by id.
        types: [V] of `TokenType`.
        scores: [V] the higher, the sooner a token is made; empty for `gpt2`.
        merges: pairs as `a b`; empty for `llama`.
        cut: llama.cpp's name for how a text is cut first.
        blank_first: a text gets a blank before it.
        remark: what llama.cpp will do otherwise; empty for nothing known.
    """

    model: str
    tokens: list[str]
    types: list[int]
    scores: list[float]
    merges: list[str]
    cut: str
    blank_first: bool
    remark: str


def vocabulary(tokenizer: Tokenizer, size: int) -> Vocabulary:
    """The vocabulary of a run's tokenizer, filled up to the `size` rows of the embeddings.

    Raises WorkbenchError: a kind of tokenizer that this does not know.
    """
    definition = json.loads((tokenizer.folder / "tokenizer.json").read_text(encoding="utf-8"))
    model = definition["model"]
    bytes_level = '"ByteLevel"' in json.dumps(definition.get("pre_tokenizer"))
    if model.get("type", "BPE") != "BPE" or not (bytes_level or model.get("byte_fallback")):
        kind = model.get("type")
        raise fault(f"no GGUF file: a tokenizer of this kind ({kind}) is not known here", tokenizer.folder)
    tokens, types = _tokens(definition, size)
    pairs = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
    if bytes_level:
        cut = _cut(definition.get("pre_tokenizer"))
        remark = (
            ""
            if cut
            else (
                "llama.cpp has no name for the way this tokenizer cuts a text into words first: it may read "
                "prompts as other tokens than the run was trained with"
            )
        )
        merges = [" ".join(pair) for pair in pairs]
        return Vocabulary("gpt2", tokens, types, [], merges, cut or _USUAL_CUT, False, remark)
    scores = _scores(tokens, pairs)
    blank_first = _BLANK in json.dumps(
        [definition.get("normalizer"), definition.get("pre_tokenizer")], ensure_ascii=False
    )
    return Vocabulary("llama", tokens, types, scores, [], "default", blank_first, "")


def _tokens(definition: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    model = definition["model"]
    tokens = [f"[PAD{index}]" for index in range(size)]
    types = [int(TokenType.UNUSED)] * size
    for text, index in model["vocab"].items():
        is_byte = model.get("byte_fallback") and len(text) == 6 and text.startswith("<0x")
        tokens[index], types[index] = text, TokenType.BYTE if is_byte else TokenType.NORMAL
    for entry in definition.get("added_tokens", ()):
        kind = TokenType.CONTROL if entry["special"] else TokenType.USER_DEFINED
        tokens[entry["id"]], types[entry["id"]] = entry["content"], int(kind)
    if (unknown := model.get("unk_token")) in tokens:
        types[tokens.index(unknown)] = int(TokenType.UNKNOWN)
    return tokens, types


def _scores(tokens: list[str], pairs: list[tuple[str, ...]]) -> list[float]:
    """As SentencePiece gives them: minus the rank of the merge that makes a token."""
    ranks: dict[str, int] = {}
    for rank, pair in enumerate(pairs):
        ranks.setdefault("".join(pair), rank)
    return [float(-ranks.get(token, len(pairs))) for token in tokens]


def _cut(pre_tokenizer: Any) -> str:
    """llama.cpp's name; empty where it has none."""
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    patterns = [step["pattern"].get("Regex", "") for step in steps if step["type"] == "Split"]
    if not patterns and all(step.get("use_regex", True) for step in steps):
        return "gpt-2"
    return _CUTS.get(patterns[0], "") if len(patterns) == 1 else ""
