"""An index of sketches that finds near duplicates of an example among a million.

Two examples are near duplicates when all that is said in them has a similarity of 0.8 (see `near`) and their
answers are not different: a hundred questions on one long article are no duplicates. In 80 characters of
English or Chinese one changed word is near, a changed sentence is not.

Candidates come from 12 bands of eight bins (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4): a
pair at 0.8 becomes one in nine of ten cases, at 0.85 in 98 of 100. For bands, empty bins borrow from their
neighbour (Shrivastava and Li 2014).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.data.likeness.near import ANSWER_BINS, BINS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.data.likeness.near import Sketches

SIMILAR = 0.8
"""Estimated similarity from which two examples count as near duplicates."""
_ANSWERS = 0.5
"""Similarity under which answers are different; 16 bins tell 0.2 from 0.8 and no more."""
_BANDS, _ROWS = 12, 8
_PORTION = 2048
"""Sketches worked on at once: what is put aside for them stays small beside the index."""
_GLANCE = 32
"""Bins that are compared first: they tell nearly all candidates apart."""
_LOAD = 4
"""Entries for each slot of a band: the slots then take a tenth of the memory."""
_LONGEST = 64
"""Candidates taken from one band: bounds the work where many rows share a template."""


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
        twins: dict[bytes, int] = {}
        first_of = [twins.setdefault(sketch.tobytes(), i) for i, sketch in enumerate(sketches)]
        distinct = list(twins.values())
        earlier: dict[int, int] = {}
        for n, entry in self._pairs(sketches[distinct]):
            earlier.setdefault(distinct[n], int(self._keys[entry]))
        new = [i for i in distinct if i not in earlier]
        # Newest first is how an index looks, so the batch goes in backwards: its earliest are found first
        among = NearIndex()
        among.add_many(new[::-1], sketches[new[::-1]])
        for i, others in zip(new, among.similar_many(sketches[new]), strict=True):
            firsts = [other for other in others if other < i and other not in earlier]
            if firsts:
                earlier[i] = keys[min(firsts)]
        kept = [i for i in new if i not in earlier]
        self.add_many([keys[i] for i in kept], sketches[kept])
        return [earlier.get(first, None if first == i else keys[first]) for i, first in enumerate(first_of)]

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
            seen.append(self._verified(sketches, pairs))
            entries = self._before[entries, of_band]
        both = np.unique(np.concatenate(seen)) if seen else np.empty(0, np.int64)
        return [divmod(int(pair), self._count) for pair in both]

    def _verified(self, sketches: "Sketches", pairs: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Those pairs of a sketch and an entry, as one number, whose estimate is high enough."""
        import numpy as np

        kept = []
        for at in range(0, len(pairs), _PORTION):
            part = pairs[at : at + _PORTION]
            part = part[self._alike(sketches, part, slice(_GLANCE), SIMILAR / 2)]
            part = part[self._alike(sketches, part, slice(BINS), SIMILAR)]
            kept.append(part[self._alike(sketches, part, slice(BINS, None), _ANSWERS)])
        return np.concatenate(kept)

    def _alike(
        self, sketches: "Sketches", pairs: "NDArray[np.int64]", bins: slice, least: float
    ) -> "NDArray[np.bool_]":
        """Which pairs are similar in some bins. Where a glance has too few bins in use it decides nothing."""
        import numpy as np

        one = sketches[:, bins][pairs // self._count]
        other = self._sketches[:, bins][pairs % self._count]
        equal = np.count_nonzero((one == other) & (one != 0), axis=1)
        used = np.count_nonzero(one | other, axis=1)
        alike: NDArray[np.bool_] = equal >= least * used
        return alike | (used < _GLANCE // 2) if bins.stop == _GLANCE else alike

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


def _filled(sketches: "Sketches") -> "Sketches":
    """Sketches whose empty bins hold what the next bin holds that is not; full ones stay as they are."""
    import numpy as np

    sparse = np.flatnonzero(~sketches.all(axis=1))
    if not len(sparse):
        return sketches
    filled, some = sketches.copy(), sketches[sparse]
    at = np.where(some != 0, np.arange(BINS), 2 * BINS)
    following = np.minimum.accumulate(np.concatenate([at, at + BINS], axis=1)[:, ::-1], axis=1)[:, ::-1]
    filled[sparse] = np.take_along_axis(some, following[:, :BINS] % BINS, axis=1)
    return filled
