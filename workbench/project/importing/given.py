"""What a foreign configuration says, before it is understood: a name, a value, a place."""

import re
from dataclasses import dataclass
from typing import Any

LONGEST = 200_000
"""Characters of a configuration; the longest seen in the wild has a tenth of it."""
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None, "null": None, "~": None}
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Given:
    """One setting as it stands in the foreign configuration.

    Attributes:
        name: its name there, with underscores.
        value: true, false, None, a number, a text, a list or a mapping.
        where: `file:line`.
        mended: how it is written where that is not quite its name; else empty.
    """

    name: str
    value: Any
    where: str
    mended: str = ""


def scalar(text: str) -> Any:
    """A word of a command line as a value: a truth, a number, nothing, or the text that it is."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) < 40 and _NUMBER.fullmatch(text):
        plain = text.replace("_", "")
        return int(plain) if plain.lstrip("+-").isdecimal() else float(plain)
    return text
