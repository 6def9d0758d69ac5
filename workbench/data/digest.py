"""What an example says, as a number: equal numbers mean equal conversations, wherever they come from."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from workbench.data.example import Example

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

_LOW = (1 << 64) - 1


def digest(example: Example) -> int:
    """128 bits of all that trains: messages with what is given to them, context blocks. Tags do not count."""
    return int.from_bytes(digest_bytes(example), "little")


def digest_bytes(example: Example) -> bytes:
    """The 16 bytes of `digest`, the lowest first."""
    parts: list[str] = []
    for message in example.messages:
        parts += (message.role, message.content)
        for name, text in message.given:
            parts += (f".{name}", text)
    for title, text in example.blocks:
        parts += (f"#{title}", text)
    return _of_parts(parts)


def digest_of(*parts: str) -> int:
    """128 bits of some texts; their lengths go in, so that they cannot run together."""
    return int.from_bytes(_of_parts(parts), "little")


def _of_parts(parts: Sequence[str]) -> bytes:
    lengths = ",".join(map(str, map(len, parts)))
    return _hashed(f"{lengths}\n{''.join(parts)}")


def _hashed(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def said(example: Example) -> str:
    """The whole conversation without its system message, which many rows share."""
    texts = [text for _, text in example.blocks]
    return "\n".join(texts + [m.content for m in example.messages if m.role != "system"])


def answered(example: Example) -> str:
    """What the assistant says in it."""
    return "\n".join([m.content for m in example.messages if m.role == "assistant"])


def group_of(example: Example) -> str:
    """The group of an example, also of one that names none: rows that are made from it take it over."""
    return example.group or f"{digest(example):032x}"


def group_bytes(example: Example, content: bytes) -> bytes:
    """The 16 bytes of `digest_of(group_of(example))`, the lowest first; `content` is its `digest_bytes`."""
    return _of_parts([example.group]) if example.group else _hashed(f"32\n{content[::-1].hex()}")


def drawn(values: "Keys", seed: int) -> "Keys":
    """Each value as an even draw from 0 to 2^64 - 1: the same for the same value and seed, whatever stands
    beside it, so that rows that are appended later draw for themselves.

    The mixing is that of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
    """
    import numpy as np

    def mixed(x: Any) -> Any:
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))

    step = np.array([(seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _LOW], np.uint64)
    return mixed(values ^ mixed(step))  # type: ignore[no-any-return]
