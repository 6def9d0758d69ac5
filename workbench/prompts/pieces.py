"""A text in pieces that are tokenised one by one, each once: words come again, and a look-up beats a merge.

A text may be cut wherever no token can lie across the cut. For BPE over the whole text (Llama 2, Mistral)
that is between two characters which no piece of the vocabulary holds side by side. For byte-level BPE it is
before white space: the rules of GPT-2, Qwen 2 and Llama 3 let a token hold a space only as its first
character. Vocabularies of other sorts are not cut at all.
"""

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import tokenizers

BLANK = "▁"
MOST_PIECES = 400_000
"""Pieces remembered, some 100 MB; then the memory starts anew."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_WORDS = r"\s*\S+|\s+"
_LINES = r"\s*\S+(?:[^\S ]\s*\S*)*|\s+"
"""As `_WORDS`, but what begins with a line break stays with what is before it."""
_HAN = r"\s*(?:[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+)|\s+"
_GPT_2 = None
_KNOWN_RULES: dict[str | None, str] = {
    _GPT_2: _WORDS,
    # Qwen 2 and 3
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+": _LINES,
    # Llama 3
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+": _LINES,
    # the embedded model: every Han character stands alone
    r"\p{N}|\p{Han}| ?(?:(?!\p{Han})[\p{L}\p{M}])+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+": _HAN,
}
"""Rule that a byte-level tokenizer splits by to a pattern of pieces between which it always does."""


class _Irregular(Exception):
    """A word after which, or before which, the text may not be cut."""


class _Learned(dict[str, bytes]):
    """The ids of words, as C ints, each tokenised when it is met first.

    Args:
        backend: tokenises without added tokens.
        head: what stands before every word, such as a blank.
        strict: a word that is empty or ends in white space is irregular.
    """

    def __init__(self, backend: tokenizers.Tokenizer, head: str = "", *, strict: bool = False) -> None:
        super().__init__()
        self._backend = backend
        self._head = head
        self._strict = strict

    def __missing__(self, word: str) -> bytes:
        if self._strict and (not word or word[-1] == BLANK or word[-1].isspace()):
            raise _Irregular
        encoding = self._backend.encode(self._head + word, add_special_tokens=False)
        ids = self[word] = array("i", encoding.ids).tobytes()
        return ids


class Pieces:
    """Tokenises by pieces, and remembers them.

    Args:
        backend: the tokenizer.
        definition: its tokenizer.json with all added tokens.
        prepends: where the tokenizer puts a blank that is not in the text; see `widths`.
        cut: the pattern of a piece.
        byte_level: the vocabulary is byte-level.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        definition: Mapping[str, Any],
        prepends: Literal["nowhere", "text", "stretches"],
        cut: str,
        byte_level: bool,
    ) -> None:
        added = {token["content"]: token["id"] for token in definition["added_tokens"]}
        texts = sorted(added, key=len, reverse=True)
        self._added = re.compile(f"({'|'.join(map(re.escape, texts))})") if texts else None
        self._fixed = {text: array("i", [index]).tobytes() for text, index in added.items()}
        self._prepends = prepends
        self._cut = re.compile(cut).findall
        self._blank = " " if byte_level else BLANK
        self._bare = tokenizers.Tokenizer(backend.model)
        if byte_level:
            self._bare.pre_tokenizer = backend.pre_tokenizer
        self._forget()

    def encode(self, texts: Sequence[str]) -> "list[array[int]]":
        """The ids of each text, as C ints. Raises TypeError for half of a surrogate pair."""
        if len(self._pieces) + len(self._heads) + len(self._words) > MOST_PIECES:
            self._forget()
        return [self._ids(text) for text in texts]

    def _forget(self) -> None:
        self._pieces = _Learned(self._bare)
        """Pieces of the pattern, and words that are all there is between two added tokens."""
        self._heads = _Learned(self._bare, strict=True)
        """Words at the beginning, more words after them."""
        self._words = _Learned(self._bare, self._blank, strict=True)
        """Words after a space."""

    def _ids(self, text: str) -> "array[int]":
        found: list[bytes] = []
        for n, stretch in enumerate(self._added.split(text) if self._added else [text]):
            if not stretch:
                continue
            if n % 2:
                found.append(self._fixed[stretch])
            else:
                found += self._of_stretch(stretch, n == 0)
        ids = array("i")
        ids.frombytes(b"".join(found))
        return ids

    def _of_stretch(self, stretch: str, first: bool) -> Iterable[bytes]:
        blank = self._blank
        if self._prepends == "stretches" or (
            self._prepends == "text" and first and stretch[0] not in (" ", BLANK)
        ):
            stretch = blank + stretch
        if stretch.isascii() or (blank == BLANK and stretch[1:].isascii()):
            head, *words = stretch.split(" ")
            try:
                if not words:
                    return (self._pieces[head],)
                return (self._heads[head], *map(self._words.__getitem__, words))
            except _Irregular:
                pass
        return map(self._pieces.__getitem__, self._cut(stretch.replace(" ", blank)))


def pieces_of(
    backend: tokenizers.Tokenizer,
    definition: Mapping[str, Any],
    prepends: Literal["nowhere", "text", "stretches"],
    byte_level: bool,
) -> Pieces | None:
    """The pieces of a BPE tokenizer; None where it is not certain that its texts may be cut.

    Args:
        backend: the tokenizer.
        definition: its tokenizer.json with all added tokens.
        prepends: as `Widths.prepends`.
        byte_level: its vocabulary is byte-level.
    """
    flags = ("lstrip", "rstrip", "single_word", "normalized")
    if any(token.get(flag) for token in definition["added_tokens"] for flag in flags[:3]):
        return None
    if definition["normalizer"] is not None and any(t.get("normalized") for t in definition["added_tokens"]):
        return None
    if definition["model"].get("dropout"):
        return None
    if byte_level:
        rule = _rule(definition["pre_tokenizer"])
        return Pieces(backend, definition, prepends, rule, byte_level) if rule else None
    cut = _between(definition["model"]["vocab"])
    return Pieces(backend, definition, prepends, cut, byte_level) if cut else None


def _rule(pre_tokenizer: Mapping[str, Any]) -> str | None:
    """The pattern of pieces between which a byte-level tokenizer always splits."""
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    if len(steps) == 1 and steps[0]["type"] == "ByteLevel" and steps[0].get("use_regex", True):
        return _KNOWN_RULES[_GPT_2]
    if [step["type"] for step in steps] == ["Split", "ByteLevel"] and not steps[1].get("use_regex", True):
        split = steps[0]
        if split["behavior"] == "Isolated" and not split["invert"]:
            return _KNOWN_RULES.get(split["pattern"].get("Regex"))
    return None


def _between(vocabulary: Iterable[str]) -> str | None:
    """The pattern of pieces of a vocabulary without pre-tokenizer: a word with the blanks before it, or one
    character that no longer piece of the vocabulary holds. None when a piece has a blank after other text."""
    longer = [text for text in vocabulary if len(text) > 1 and not _BYTE.fullmatch(text)]
    if any(BLANK in text.lstrip(BLANK) for text in longer):
        return None
    joining = "".join(map(re.escape, sorted(set("".join(longer)) - {BLANK})))
    return f"{BLANK}*[{joining}]+|{BLANK}+|[^{BLANK}{joining}]" if joining else None
