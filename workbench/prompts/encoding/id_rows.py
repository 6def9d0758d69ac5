"""Ids of many texts in one array, so that a batch costs no object for each text until it is asked for."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEGINS = array("i", (-1,)).tobytes()
"""Stands before the ids of each text in what `id_rows` takes."""


@dataclass(frozen=True, slots=True)
class IdRows:
    """The ids of N texts, T in all; iterating gives those of each text.

    Attributes:
        ids: [T] one text after the other.
        first: [N + 1]; where each text's ids begin, and T.
    """

    ids: "NDArray[np.intc]"
    first: "NDArray[np.int64]"

    def __iter__(self) -> "Iterator[array[int]]":
        ids, bounds = array("i", self.ids.tobytes()), self.first.tolist()
        return (ids[start:end] for start, end in zip(bounds, bounds[1:], strict=False))


def id_rows(marked: bytes) -> IdRows:
    """The ids of many texts, given as C ints, `BEGINS` before those of each."""
    import numpy as np

    numbers = np.frombuffer(marked, np.intc)
    begins = np.flatnonzero(numbers < 0)
    first = np.append(begins, len(numbers)) - np.arange(len(begins) + 1)
    return IdRows(numbers[numbers >= 0], first)
