"""Near duplicates: a sketch of 144 bytes for each example, and an index that finds what shares most of it.

A text is normalised (case, blanks and punctuation away) and cut into overlapping runs of five characters,
which needs no words and so works for Chinese and Thai. Two texts are similar when these sets of runs have a
Jaccard similarity of 0.8: in 80 characters of English or Chinese one changed word is similar, a changed
sentence is not. Two examples are near duplicates when all that is said in them is similar, and their answers
are not different: a hundred questions on one long article are no duplicates.

The sketch is a one-permutation MinHash (Li, Owen, Zhang 2012): each of 128 bins keeps eight bits of its
smallest hash, 0 where it is empty, so that the similarity is estimated as equal bins / bins that are not
empty in both, with a standard deviation of 0.035 at 0.8. 16 more bins are for the answers, of which half must
be equal. Texts under 20 characters are similar only when they are equal after normalising: there one other
character is another fact.

Candidates come from 12 bands of eight bins (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4): a
pair at 0.8 becomes one in nine of ten cases, at 0.85 in 98 of 100. For bands, empty bins borrow from their
neighbour (Shrivastava and Li 2014).
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sketches: TypeAlias = NDArray[np.uint8]

SIMILAR = 0.8
"""Jaccard similarity from which two texts count as near duplicates."""
BINS, ANSWER_BINS = 128, 16
"""Bytes of a sketch: for all that is said, then for the answers."""
_ANSWERS = 0.5
"""Similarity under which answers are different; 16 bins tell 0.2 from 0.8 and no more."""
_RUN = 5
_SHORT = 20
_BANDS, _ROWS = 12, 8
_CHUNK = 1 << 17
"""Characters hashed at once: what the second-level cache holds."""
_FULL = 8
"""Hashes a bin that are enough to find its smallest: of a long text only the smaller hashes are used."""
_PORTION = 2048
"""Sketches worked on at once: what is put aside for them stays small beside the index."""
_LOAD = 4
"""Entries for each slot of a band: the slots then take a tenth of the memory."""
_LONGEST = 64
"""Candidates taken from one band: bounds the work where many rows share a template."""


def normalise(text: str) -> str:
    """`text` without case, blanks, punctuation and full-width forms: what two texts are compared by.

    Points and commas between digits stay: 1.5 is not 15.
    """
    import numpy as np

    codes = _normal(_codes(text))[0]
    return bytes(codes.astype(np.uint32)).decode("utf-32-le", "surrogatepass")


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
        made[:, BINS:] = 1 if answers is None else _in_portions(answers, ANSWER_BINS)
        return made


class NearIndex:
    """Finds sketches that are similar to others. One thread at a time.

    Takes about 230 bytes a sketch. From each band at most the newest 64 candidates are looked at.
    """

    def __init__(self) -> None:
        import numpy as np

        self._count = 0
        self._keys = np.empty(0, np.int64)
        self._sketches = np.empty((0, BINS + ANSWER_BINS), np.uint8)
        # Of each band: the newest entry of each slot, and to each entry the one before it in its slot
        self._heads = np.full((_BANDS, 1024), -1, np.int32)
        self._before = np.empty((0, _BANDS), np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, key: int, sketch: "Sketches") -> None:
        """Add one sketch under a number of the caller's."""
        self.add_many([key], sketch[None])

    def add_many(self, keys: Sequence[int], sketches: "Sketches") -> None:
        """Add several: `sketches` is uint8 of shape (len(keys), 144)."""
        if len(keys) == 0:
            return
        first, self._count = self._count, self._count + len(keys)
        self._make_room(first)
        self._keys[first : self._count] = keys
        self._sketches[first : self._count] = sketches
        if self._count > _LOAD * self._heads.shape[1]:
            self._rebuild()
        else:
            self._link(first, self._count)

    def similar(self, sketch: "Sketches") -> list[int]:
        """Keys of the sketches whose estimated similarity is at least 0.8, in the order they were added."""
        return self.similar_many(sketch[None])[0]

    def similar_many(self, sketches: "Sketches") -> list[list[int]]:
        """`similar` for each of several sketches, uint8 of shape (n, 144)."""
        found: list[list[int]] = [[] for _ in range(len(sketches))]
        for i, entry in self._pairs(sketches):
            found[i].append(int(self._keys[entry]))
        return found

    def first_similar(self, keys: Sequence[int], sketches: "Sketches") -> list[int | None]:
        """For each sketch in order the key of an earlier one that it is similar to; the others are added.

        What has been found similar to something is not itself added, so that many copies of one text cost
        no memory.
        """
        earlier: list[int | None] = [None] * len(keys)
        for i, entry in self._pairs(sketches):
            if earlier[i] is None:
                earlier[i] = int(self._keys[entry])
        new = [i for i, key in enumerate(earlier) if key is None]
        # Newest first is how an index looks, so the batch goes in backwards: its earliest are found first
        among = NearIndex()
        among.add_many(new[::-1], sketches[new[::-1]])
        for i, others in zip(new, among.similar_many(sketches[new]), strict=True):
            firsts = [other for other in others if other < i and earlier[other] is None]
            if firsts:
                earlier[i] = keys[min(firsts)]
        kept = [i for i in new if earlier[i] is None]
        self.add_many([keys[i] for i in kept], sketches[kept])
        return earlier

    def _pairs(self, sketches: "Sketches") -> list[tuple[int, int]]:
        """Number of the sketch and of a similar entry, sorted."""
        import numpy as np

        if not self._count or not len(sketches):
            return []
        bands = np.arange(_BANDS)
        entries = self._heads[bands, self._slots(sketches)]
        asked = np.repeat(np.arange(len(sketches)), _BANDS)
        of_band, entries = np.tile(bands, len(sketches)), entries.ravel()
        seen: list[NDArray[np.int64]] = []
        for _ in range(_LONGEST):
            real = entries >= 0
            asked, of_band, entries = asked[real], of_band[real], entries[real]
            if not len(entries):
                break
            pairs = asked * np.int64(self._count) + entries
            seen.append(self._verified(sketches, np.unique(pairs)))
            entries = self._before[entries, of_band]
        both = np.unique(np.concatenate(seen)) if seen else np.empty(0, np.int64)
        return [divmod(int(pair), self._count) for pair in both]

    def _verified(self, sketches: "Sketches", pairs: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Those pairs of a sketch and an entry, as one number, whose estimate is high enough."""
        import numpy as np

        kept = []
        for at in range(0, len(pairs), _PORTION):
            part = pairs[at : at + _PORTION]
            one, other = sketches[part // self._count], self._sketches[part % self._count]
            equal, used = (one == other) & (one != 0), (one | other) != 0
            similar = np.ones(len(part), np.bool_)
            for bins, least in ((slice(BINS), SIMILAR), (slice(BINS, None), _ANSWERS)):
                most = used[:, bins].sum(axis=1, dtype=np.int32)
                similar &= equal[:, bins].sum(axis=1, dtype=np.int32) >= least * most
            kept.append(part[similar])
        return np.concatenate(kept)

    def _slots(self, sketches: "Sketches") -> "NDArray[np.int64]":
        """Slot of each band, shape (n, 12)."""
        import numpy as np

        bands = np.ascontiguousarray(_filled(sketches[:, :BINS])[:, : _BANDS * _ROWS]).view(np.uint64)
        mixed = (bands ^ (bands >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
        slots: NDArray[np.int64] = (mixed >> np.uint64(40)).astype(np.int64) % self._heads.shape[1]
        return slots

    def _link(self, first: int, end: int) -> None:
        import numpy as np

        for start in range(first, end, _PORTION):
            new = np.arange(start, min(end, start + _PORTION), dtype=np.int32)
            slots = self._slots(self._sketches[new])
            for band in range(_BANDS):
                of_band = slots[:, band]
                order = np.argsort(of_band, kind="stable")
                entries, sorted_slots = new[order], of_band[order]
                again = np.flatnonzero(sorted_slots[1:] == sorted_slots[:-1]) + 1
                before = self._heads[band, sorted_slots]
                before[again] = entries[again - 1]
                self._before[entries, band] = before
                self._heads[band, sorted_slots] = entries

    def _rebuild(self) -> None:
        """Double the slots until no more than four entries share one on average."""
        import numpy as np

        slots = self._heads.shape[1]
        while self._count > _LOAD * slots:
            slots *= 2
        self._heads = np.full((_BANDS, slots), -1, np.int32)
        self._link(0, self._count)

    def _make_room(self, filled: int) -> None:
        """Fourfold, since the system gives no memory to what is never written; one array after the other."""
        import numpy as np

        if self._count > len(self._keys):
            size = max(1024, 4 * len(self._keys), self._count)
            for name in ("_keys", "_sketches", "_before"):
                old = getattr(self, name)
                new = np.empty((size, *old.shape[1:]), old.dtype)
                new[:filled] = old[:filled]
                setattr(self, name, new)


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


def _filled(sketches: "Sketches") -> "Sketches":
    """Sketches whose empty bins hold what the next bin that is not empty holds; a full bin stays as it is."""
    import numpy as np

    if sketches.all():
        return sketches
    at = np.where(sketches != 0, np.arange(BINS), 2 * BINS)
    following = np.minimum.accumulate(np.concatenate([at, at + BINS], axis=1)[:, ::-1], axis=1)[:, ::-1]
    source = following[:, :BINS] % BINS
    filled: Sketches = np.take_along_axis(sketches, source, axis=1)
    return filled


def _codes(text: str) -> "NDArray[np.uint32]":
    """Code points, composed."""
    import numpy as np

    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8).astype(np.uint32)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


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
