"""What differs between two texts, word by word, for the before/after view of a rule."""

import difflib
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

# Marks above and below letters are part of the word: Thai vowels, accents that are not composed
_IN_WORDS = r"\w\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_WORDS = re.compile(rf"[{_IN_WORDS}]+|[ \t]+|[^{_IN_WORDS}]")
_MOST = 250_000
"""Pairs of parts that are compared: a fraction of a second."""
_SPECK = 3
"""Characters between two changes that are not worth keeping them apart."""


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of text: `same` in both, `out` only in the first, `in` in the second."""

    kind: Literal["same", "out", "in"]
    text: str


_Differing = Callable[[str, str], Iterator[Change]]


def changes(before: str, after: str) -> list[Change]:
    """The pieces of both texts in order: without `in` they are `before`, without `out` they are `after`.

    Lines are compared first, then words. Texts that differ in too much to compare are one piece each.
    """
    pieces = _compared(before.splitlines(keepends=True), after.splitlines(keepends=True), _by_words)
    return list(_joined(_joined(pieces, 0), _SPECK))


def excerpt(pieces: Sequence[Change], around: int = 30, longest: int = 100, most: int = 9) -> list[Change]:
    """Pieces for one look; what is left out becomes `…`.

    Args:
        pieces: what `changes` gave.
        around: characters beside a change that are kept of what is the same.
        longest: characters that are kept of a change.
        most: pieces that are kept.
    """
    shown = []
    for i, piece in enumerate(pieces[:most]):
        head, tail = around if i else 0, around if i + 1 < len(pieces) else 0
        if piece.kind != "same":
            head = tail = longest // 2
        text = piece.text
        if len(text) > head + tail + 1:
            text = f"{text[:head]}…{text[len(text) - tail :]}"
        shown.append(Change(piece.kind, text))
    return shown + [Change("same", "…")] * (len(pieces) > most)


def spelled(text: str) -> str:
    """`text` with characters that cannot be seen, or not be told from others, as `U+FEFF`."""
    return "".join(
        f"U+{ord(character):04X}"
        if character != " " and unicodedata.category(character) in ("Co", "Cf", "Cn", "Zs")
        else character
        for character in text
    )


def _by_words(before: str, after: str) -> Iterator[Change]:
    return _compared(_WORDS.findall(before), _WORDS.findall(after), _whole)


def _whole(before: str, after: str) -> Iterator[Change]:
    """One piece each; only what was taken out of a word, or put in, where that is all."""
    head = len(os.path.commonprefix([before, after]))
    most = min(len(before), len(after)) - head
    tail = len(os.path.commonprefix([before[::-1], after[::-1]])) if most else 0
    if most == 0 or tail >= most:
        tail = most
    else:
        head = tail = 0
    yield Change("same", before[:head])
    yield Change("out", before[head : len(before) - tail])
    yield Change("in", after[head : len(after) - tail])
    yield Change("same", before[len(before) - tail :])


def _compared(old: list[str], new: list[str], differing: _Differing) -> Iterator[Change]:
    start = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(old), len(new)) if start is None else start
    most = min(len(old), len(new)) - start
    end = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    yield Change("same", "".join(old[:start]))
    yield from _middle(old[start : len(old) - end], new[start : len(new) - end], differing)
    yield Change("same", "".join(old[len(old) - end :]))


def _middle(old: list[str], new: list[str], differing: _Differing) -> Iterator[Change]:
    if len(old) * len(new) > _MOST:
        yield from _whole("".join(old), "".join(new))
        return
    # What comes often is no anchor: without this the time grows with the cube of a text of blanks
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=True)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield Change("same", "".join(old[a:b]))
        else:
            yield from differing("".join(old[a:b]), "".join(new[c:d]))


def _joined(pieces: Iterator[Change], speck: int) -> Iterator[Change]:
    """Neighbours of a kind as one piece, and changes that only a speck or blanks keep apart as one change."""
    out, new, same = "", "", ""
    for piece in pieces:
        if piece.kind == "same":
            same += piece.text
            continue
        if not piece.text:
            continue
        if same and (out or new) and (len(same) <= speck or (speck and same.isspace())):
            out, new = out + same, new + same
        elif same:
            yield from _some(out, new, same)
            out = new = ""
        same = ""
        out += piece.text * (piece.kind == "out")
        new += piece.text * (piece.kind == "in")
    yield from _some(out, new, same)


def _some(out: str, new: str, same: str) -> Iterator[Change]:
    if out:
        yield Change("out", out)
    if new:
        yield Change("in", new)
    if same:
        yield Change("same", same)
