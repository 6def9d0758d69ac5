"""Where the tokens of a batch stand in their texts, from their widths, and which of them are trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.prompts.encoding.id_rows import IdRows
from workbench.prompts.tokenizer import Tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of a batch of N texts with T tokens in all.

    Attributes:
        mask: [T] uint8; 1 where a token is trained.
        trains: [N]; a token after the first one is trained.
        stops: [N]; as `Encoded.stop_trained`.
        inside: [N]; the id that also holds the first characters of an answer, -1 when there is none.
    """

    mask: "NDArray[np.uint8]"
    trains: "NDArray[np.bool_]"
    stops: "NDArray[np.bool_]"
    inside: "NDArray[np.int64]"


class Places:
    """Byte positions of the tokens of a batch.

    Args:
        tokenizer: one whose widths are known.
        rows: the ids of N texts.
        blank: [N] the text begins with a blank.
        sizes: [N] bytes of each text in UTF-8.

    Attributes:
        fits: [N]; the widths add up to the text: only then are a row's places known.
    """

    def __init__(
        self, tokenizer: Tokenizer, rows: IdRows, blank: Sequence[bool], sizes: "NDArray[np.int64]"
    ) -> None:
        widths = tokenizer.widths
        assert widths is not None
        self._first, self._ids = rows.first, rows.ids
        counts = np.diff(rows.first)
        wide = widths.bytes[self._ids]
        heads = self._first[:-1][counts > 0]
        opens = np.zeros(len(wide), np.bool_)
        if widths.prepends == "stretches":
            opens[1:] = widths.added[self._ids[:-1]]
            opens[heads] = True
        elif widths.prepends == "text":
            opens[heads] = ~np.array(blank)[counts > 0]
        if widths.prepends != "nowhere":
            wide -= opens & widths.blank[self._ids]
        total = np.zeros(len(counts), np.int64)
        if len(heads):
            total[counts > 0] = np.add.reduceat(wide, heads, dtype=np.int64)
        self.fits = (total == sizes) & (counts > 0)
        if not self.fits.all():
            wide[np.repeat(~self.fits, counts)] = 0
        self._wide = wide
        # One line of numbers for the whole batch: each row begins where no row before it can reach
        self._apart = int(sizes.max(initial=0)) + 1
        self._starts = np.cumsum(wide, dtype=np.int64)
        self._starts -= wide
        begins = np.zeros(len(counts), np.int64)
        begins[counts > 0] = self._starts[heads]
        self._starts += np.repeat(np.arange(len(counts)) * self._apart - begins, counts)

    def mask(self, row: "NDArray[np.int64]", edges: "NDArray[np.int64]") -> Masks:
        """The masks of answers.

        Args:
            row: [A] the row of each answer, never falling.
            edges: [A, 4] start and end of each answer, start and end of its mark (-1 for none), in bytes.
        """
        places = edges + (row * self._apart)[:, None]
        start, end, mark, after = np.searchsorted(self._starts, places.T)
        change = np.zeros(len(self._starts) + 1, np.int8)
        np.add.at(change, start, 1)
        np.add.at(change, end, -1)
        on = np.cumsum(change, dtype=np.int8)[:-1] > 0
        trained_before = np.zeros(len(self._starts) + 1, np.int64)
        np.cumsum(on, out=trained_before[1:])
        some = trained_before[end] > trained_before[start]
        # A token that begins before the mark may reach into it
        mark = mark - ((mark > self._first[row]) & self._reaches(mark - 1, places[:, 2]))
        whole = (mark < after) & (trained_before[after] - trained_before[mark] == after - mark)
        stops = np.bincount(row, some, len(self.fits)) > 0
        stops &= np.bincount(row, some & ~(whole & (edges[:, 2] >= 0)), len(self.fits)) == 0
        first = self._first[:-1]
        trains = trained_before[self._first[1:]] - trained_before[np.minimum(first + 1, self._first[1:])] > 0
        inside = np.full(len(self.fits), -1, np.int64)
        cut = (start > self._first[row]) & self._reaches(start - 1, places[:, 0])
        at = np.flatnonzero(cut)[::-1]  # the first of a row is written last
        inside[row[at]] = self._ids[start[at] - 1]
        return Masks(on.view(np.uint8), trains, stops, inside)

    def _reaches(self, token: "NDArray[np.int64]", place: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """The token ends after the place."""
        token = np.maximum(token, 0)
        reaches: NDArray[np.bool_] = self._starts[token] + self._wide[token] > place
        return reaches
