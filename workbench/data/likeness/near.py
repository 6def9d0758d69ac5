"""Sketches of what examples say: two sketches tell how much of their texts is the same.

A text is normalised (case, blanks and punctuation away) and cut into overlapping runs of five characters,
which needs no words and so works for Chinese and Thai. What is compared is the Jaccard similarity of these
sets of runs. The sketch is a one-permutation MinHash (Li, Owen, Zhang 2012): each of 128 bins keeps eight
bits of its smallest hash, 0 where it is empty, so that the similarity is estimated as equal bins / bins that
are not empty in both, with a standard deviation of 0.035 at 0.8. 16 more bins are for the answers' beginning.
Texts under 20 characters have nothing in common unless they are equal after normalising: there one other
character is another fact.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.data.likeness.composed import composed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sketches: TypeAlias = NDArray[np.uint8]

BINS, ANSWER_BINS = 128, 16
"""Bytes of a sketch: for all that is said, then for the answers."""
_RUN = 5
_SHORT = 20
_CHUNK = 1 << 17
"""Characters hashed at once: what the second-level cache holds."""
_HEAD = 512
"""Characters of the answers that are looked at: enough to tell that they are different ones."""
_FULL = 8
"""Hashes a bin that are enough to find its smallest: of a long text only the smaller hashes are used."""


def normalise(text: str) -> str:
    """`text` without case, blanks, punctuation and full-width forms: what two texts are compared by.

    Points and commas between digits stay: 1.5 is not 15.
    """
    import numpy as np

    while True:
        codes = _normal(_codes(text))[0]
        text = bytes(codes.astype(np.uint32)).decode("utf-32-le", "surrogatepass")
        # Marks that a punctuation mark kept apart have met, and may compose now
        if text.isascii() or unicodedata.is_normalized("NFC", text):
            return text


class Sketcher:
    """Makes sketches. May be used from several threads at once."""

    def sketch(self, text: str, answers: str | None = None) -> "Sketches":
        """The sketch of one example: uint8 of shape (144,). Arguments as of `sketch_many`."""
        sketch: Sketches = self.sketch_many([text], None if answers is None else [answers])[0]
        return sketch

    def sketch_many(self, texts: Sequence[str], answers: Sequence[str] | None = None) -> "Sketches":
        """The sketches of several examples, uint8 of shape (n, 144). Much faster than one by one.

        Args:
            texts: all that is said in each example.
            answers: what the assistant says of it; without them all of it must be alike, and nothing more.
        """
        import numpy as np

        made = np.empty((len(texts), BINS + ANSWER_BINS), np.uint8)
        made[:, :BINS] = _in_portions(texts, BINS)
        if answers is None:
            made[:, BINS:] = 1
        else:
            made[:, BINS:] = _in_portions([answer[:_HEAD] for answer in answers], ANSWER_BINS)
        return made


def _in_portions(texts: Sequence[str], bins: int) -> "Sketches":
    import numpy as np

    made = np.empty((len(texts), bins), np.uint8)
    start, size = 0, 0
    for i, text in enumerate(texts):
        size += len(text)
        if size >= _CHUNK or i + 1 == len(texts):
            made[start : i + 1] = _sketches(texts[start : i + 1], bins)
            start, size = i + 1, 0
    return made


def _sketches(texts: Sequence[str], bins: int) -> "Sketches":
    """Sketches of some texts at once; `bins` is a power of two."""
    import numpy as np

    if all(map(str.isascii, texts)):
        lengths, codes = list(map(len, texts)), _codes("".join(texts))
    else:
        parts = [_codes(text) for text in texts]
        lengths, codes = list(map(len, parts)), np.concatenate(parts)
    owners = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    codes, kept = _normal(codes, owners)
    owners = owners[kept]
    sizes = np.bincount(owners, minlength=len(texts))
    made = np.full(len(texts) * bins, 0xFFFFFFFF, np.uint32)
    if len(codes) >= _RUN:
        hashes = _hashes(codes)
        owned = owners[: len(hashes)]
        # A hash that is large for a text of this length cannot be the smallest of its bin
        runs = np.maximum(sizes - _RUN + 1, 1)
        limits = np.minimum((1 << 25) * np.minimum(1.0, _FULL * bins / runs), (1 << 25) - 1).astype(np.uint32)
        values = hashes >> np.uint32(7)
        chosen = np.flatnonzero((owned == owners[_RUN - 1 :]) & (values <= limits[owned]))
        places = owned[chosen].astype(np.int64) * bins + (hashes[chosen] & np.uint32(bins - 1))
        np.minimum.at(made, places, values[chosen])
    sketches: Sketches = (made % np.uint32(255) + np.uint32(1)).astype(np.uint8)
    sketches[made == 0xFFFFFFFF] = 0
    sketches = sketches.reshape(len(texts), bins)
    ends = np.cumsum(sizes)
    for i in np.flatnonzero(sizes < _SHORT):
        sketches[i] = _exact(bytes(codes[ends[i] - sizes[i] : ends[i]]), bins)
    return sketches


def _exact(text: bytes, bins: int) -> "Sketches":
    """A sketch that no other text has, not even in part."""
    import hashlib

    import numpy as np

    return np.frombuffer(hashlib.shake_128(text).digest(bins), np.uint8) | np.uint8(1)


def _hashes(codes: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
    """A hash of 32 bits for each run of five characters; the last step is that of murmur3."""
    import numpy as np

    pairs = codes[:-1] * np.uint32(0x9E3779B1) + codes[1:]
    fours = pairs[:-2] * np.uint32(0x85EBCA77) + pairs[2:]
    mixed = fours[:-1] * np.uint32(0xC2B2AE3D) + codes[4:]
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _codes(text: str) -> "NDArray[np.uint32]":
    """Code points, composed."""
    import numpy as np

    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8).astype(np.uint32)
    return np.frombuffer(composed(text).encode("utf-32-le", "surrogatepass"), np.uint32)


def _normal(
    codes: "NDArray[np.uint32]", owners: Any = None
) -> "tuple[NDArray[np.uint32], NDArray[np.bool_]]":
    """Normalised code points, and which of the given ones they are."""
    import numpy as np

    table, digits = _table()
    small = np.minimum(codes, len(table) - 1)
    normal = table[small]
    kept = normal != 0
    marks = np.flatnonzero((codes == ord(".")) | (codes == ord(",")))
    marks = marks[(marks > 0) & (marks < len(codes) - 1)]
    marks = marks[digits[small[marks - 1]] & digits[small[marks + 1]]]
    if owners is not None:
        marks = marks[owners[marks - 1] == owners[marks + 1]]
    kept[marks] = True
    normal[marks] = codes[marks]
    rare = np.flatnonzero(codes >= len(table) - 1)
    normal[rare], kept[rare] = codes[rare], True
    return normal[kept], kept


@cache
def _table() -> "tuple[NDArray[np.uint32], NDArray[np.bool_]]":
    """For each character of the first planes what it becomes, 0 for nothing, and whether it is a digit."""
    import numpy as np

    table, digits = np.arange(0x20000, dtype=np.uint32), np.zeros(0x20000, np.bool_)
    for code in range(0x20000):
        character = chr(code)
        if 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xE000:
            continue  # Han and Hangul have neither case nor punctuation
        category = unicodedata.category(character)
        if category[0] in "PZC" and category not in ("Co", "Cn", "Cs"):
            table[code] = 0
            continue
        plain = unicodedata.normalize("NFKC", character).casefold()
        if len(plain) == 1:
            table[code] = ord(plain)
        digits[code] = category == "Nd"
    return table, digits
