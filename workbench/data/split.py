"""Which examples are held out for validation: decided by content, so it survives new rows and reordering."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from workbench.data.example import Example


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each in the order of the examples given."""

    train: list[Example]
    validation: list[Example]


def split(examples: Sequence[Example], validation: float, seed: int) -> Split:
    """Hold out a share of the examples (`validation` below 1) or a count of them (from 1).

    Examples are ordered by a keyed hash of their messages and held out from the front, so that appending rows
    moves few of the old ones. Equal conversations land on the same side, or the validation loss would measure
    memory: that comes before the exact count. Never all examples are held out; at least one is when
    `validation` is above 0 and there are two that differ.
    """
    groups: dict[bytes, list[int]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(_key(example, seed), []).append(i)
    wanted = held_out_rows(len(examples), validation)
    held: set[int] = set()
    if len(groups) > 1:
        in_order = [groups[key] for key in sorted(groups)]
        for group in in_order:
            if len(held) + len(group) <= wanted:
                held.update(group)
        if wanted and not held:
            smallest: list[int] = min(in_order, key=len)
            held.update(smallest)
    return Split(
        [example for i, example in enumerate(examples) if i not in held],
        [example for i, example in enumerate(examples) if i in held],
    )


def held_out_rows(n: int, validation: float) -> int:
    """How many of `n` examples are to be held out; equal ones among them can make it fewer or one more."""
    if validation <= 0 or n < 2:
        return 0
    count = int(validation * n + 0.5) if validation < 1 else int(validation)
    return max(1, min(count, n - 1))


def _key(example: Example, seed: int) -> bytes:
    digest = blake2b(str(seed).encode(), digest_size=16)
    for message in example.messages:
        for text in (message.role, message.content):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()
