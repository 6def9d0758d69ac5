"""A text in pieces that are tokenised one by one, each once: words come again, and a look-up beats a merge.

A text may be cut wherever no token can lie across the cut. For BPE over the whole text (Llama 2, Mistral)
that is between two characters which no piece of the vocabulary holds side by side. For byte-level BPE it is
before white space: the rules of GPT-2, Qwen 2 and Llama 3 let a token hold a space only as its first
character. Vocabularies of other sorts are not cut at all.

What stands around the texts of many conversations alike (see `shapes`) is tokenised once, and then written
as a single character, a seal. Seals are halves of surrogate pairs, which no valid text holds.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import filterfalse
from typing import Any, Literal

import tokenizers

from workbench.prompts.encoding.id_rows import BEGINS, IdRows, id_rows

BLANK = "▁"
MOST_PIECES = 400_000
"""Pieces remembered, some 100 MB; then the memory starts anew."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_WORDS = r"\n(?=\S)|\s*\S+|\s+"
_LINES = r"\s*\S+(?:[^\S ]\s*\S*)*|\s+"
"""As `_WORDS`, but what begins with a line break stays with what is before it."""
_HAN = r"[\u4e00-\u9fff]|\n(?=\S)|\s*(?:[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+)|\s+"
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

EDGE = "\ud800"
"""Stands on both sides of a seal, so that a text without added tokens is cut at seals without a pattern."""
BEGIN, START, INSIDE = "\ud801", "\ud802", "\ud803"
"""Seals before a text of a batch; before a text that is alone; before a part from the middle of a text."""
SEALS = range(0xD804, 0xE000)


class Pieces:
    """Tokenises by pieces, and remembers them.

    Args:
        backend: the tokenizer.
        definition: its tokenizer.json with all added tokens.
        prepends: where the tokenizer puts a blank that is not in the text; see `widths`.
        cut: the pattern of a piece.
        inner: a character that stays in one piece with as many others as any can.
        byte_level: the vocabulary is byte-level.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        definition: Mapping[str, Any],
        prepends: Literal["nowhere", "text", "stretches"],
        cut: str,
        inner: str,
        byte_level: bool,
    ) -> None:
        added = {token["content"]: token["id"] for token in definition["added_tokens"]}
        texts = sorted(added, key=len, reverse=True)
        bounds = "|".join([*map(re.escape, texts), "[\ud801-\udfff]"])
        self._bounds = re.compile(f"{EDGE}?({bounds}){EDGE}?")
        self._initials = {text[0] for text in texts}
        self._of_bounds = {text: _bytes([index]) for text, index in added.items()}
        self._of_bounds |= {BEGIN: BEGINS, START: b"", INSIDE: b"", "": b""}
        """Ids of bounds, which cut a text whatever is beside them: added tokens, seals; none for no text."""
        self._added = texts
        self._keeps_blank = prepends == "text"
        self._blank_after = {"nowhere": set(), "text": {BEGIN, START}, "stretches": {BEGIN, START, *texts}}[
            prepends
        ]
        self._cut = re.compile(cut)
        self._inner = inner
        self._blank = " " if byte_level else BLANK
        self._bare = tokenizers.Tokenizer(backend.model)
        if byte_level:
            self._bare.pre_tokenizer = backend.pre_tokenizer
        self._sealed: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._seals = map(chr, SEALS)
        self._known = dict(self._of_bounds)

    def encode(self, texts: Sequence[str]) -> IdRows:
        """The ids of each text; seals may stand in it. Raises TypeError for half of a surrogate pair."""
        return id_rows(self._ids(_written(BEGIN).join(("", *texts))))

    def seal(self, around: tuple[str, ...]) -> tuple[str, ...]:
        """`around` with all that no text can change sealed: written with seals, a conversation has its ids.

        This holds for texts that are not empty, neither begin nor end with white space, and hold no `BLANK`.

        Args:
            around: what is before the first text, between two texts, and after the last one.
        """
        if around not in self._sealed:
            last = len(around) - 1
            self._sealed[around] = tuple(self._seal(part, n == 0, n == last) for n, part in enumerate(around))
        return self._sealed[around]

    def _seal(self, part: str, first: bool, last: bool) -> str:
        """`part` from the first place where it may always be cut to the last one, in a seal."""
        if not _is_valid(part) or any(_straddles(token, part) for token in self._added):
            return part
        before, after = "" if first else self._inner, "" if last else self._inner
        cuts, at = [0], 0
        for n, stretch in enumerate(self._bounds.split(before + part + after)):
            if n % 2 == 0:
                pieces = self._cut.finditer(stretch.replace(" ", self._blank))
                cuts += [at + piece.start() for piece in pieces]
            at += len(stretch)
            cuts.append(at)
        inside = [cut - len(before) for cut in cuts if len(before) <= cut <= at - len(after)]
        start, end = min(inside, default=0), max(inside, default=0)
        if start == end or (seal := next(self._seals, None)) is None:
            return part
        section = part[start:end]
        *_, bound, rest = ["", *self._bounds.split(section)]
        if not rest and bound in self._blank_after:
            self._blank_after.add(seal)
        ids = self._ids(_written(START if first else INSIDE) + section)
        self._of_bounds[seal] = self._known[seal] = ids
        return part[:start] + _written(seal) + part[end:]

    def _ids(self, text: str) -> bytes:
        """The ids of a text that begins with a bound, as C ints."""
        if len(self._known) > MOST_PIECES:
            self._known = dict(self._of_bounds)
        pieces = self._pieces(text)
        if unknown := list(set(filterfalse(self._known.__contains__, pieces))):
            self._learn(unknown)
        return b"".join(map(self._known.__getitem__, pieces))

    def _learn(self, pieces: Sequence[str]) -> None:
        """Tokenise pieces, all in one call, each for itself."""
        words = [piece.replace(" ", self._blank) for piece in pieces]
        encoding = self._bare.encode(words, is_pretokenized=True, add_special_tokens=False)
        ids, at = array("i", encoding.ids), 0
        counts = Counter(encoding.word_ids)
        for n, piece in enumerate(pieces):
            self._known[piece] = ids[at : at + counts[n]].tobytes()
            at += counts[n]

    def _pieces(self, text: str) -> list[str]:
        """A text that begins with a bound, in pieces; each bound is one.

        The stretches between the bounds are cut by `cut`, save plain ASCII with single spaces: there every
        space begins a piece, which needs no pattern.
        """
        added = any(map(text.__contains__, self._initials))
        bounds = self._bounds.split(text) if added else text.split(EDGE)
        blank, blank_after, cut = self._blank, self._blank_after, self._cut.findall
        pieces: list[str] = []
        for bound, stretch in zip(bounds[1::2], bounds[2::2], strict=True):
            pieces.append(bound)
            if not stretch:
                continue
            if bound in blank_after and not (self._keeps_blank and stretch[0] in (" ", BLANK)):
                stretch = " " + stretch
            if stretch.isascii() and stretch[-1] != " " and "  " not in stretch and "\0" not in stretch:
                pieces += stretch.replace(" ", "\0 ").split("\0")
            else:
                pieces += cut(stretch.replace(" ", blank))
        return pieces


def _bytes(ids: Sequence[int]) -> bytes:
    return array("i", ids).tobytes()


def _written(seal: str) -> str:
    return EDGE + seal + EDGE


def _is_valid(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _straddles(token: str, part: str) -> bool:
    """The token may begin before the part and end in it or after it, or begin in it and end after it."""
    halves = [(token[:n], token[n:]) for n in range(1, len(token))]
    return any(
        part.startswith(end) or end.startswith(part) or part.endswith(begin) or begin.endswith(part)
        for begin, end in halves
    )


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
        return Pieces(backend, definition, prepends, rule, "x", byte_level) if rule else None
    joining = _joining(definition["model"]["vocab"])
    if not joining:
        return None
    some = "".join(map(re.escape, joining))
    cut = f"[^{BLANK}{some}]|{BLANK}*[{some}]+|{BLANK}+"
    return Pieces(backend, definition, prepends, cut, joining[0], byte_level)


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


def _joining(vocabulary: Iterable[str]) -> list[str]:
    """The characters, `BLANK` aside, that stand beside others in a piece of a vocabulary without
    pre-tokenizer; none when a piece has a blank after other text."""
    longer = [text for text in vocabulary if len(text) > 1 and not _BYTE.fullmatch(text)]
    if any(BLANK in text.lstrip(BLANK) for text in longer):
        return []
    return sorted(set("".join(longer)) - {BLANK})
