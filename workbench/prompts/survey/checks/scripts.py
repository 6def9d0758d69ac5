"""Which script a text is written in: the code points of its letters counted by Unicode block.

A script is no language: German and Vietnamese are told from English only as Latin with diacritics.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCRIPTS = (
    "none",
    "Latin",
    "Latin with diacritics",
    "Han",
    "Kana",
    "Hangul",
    "Thai",
    "Cyrillic",
    "Greek",
    "Arabic",
    "Hebrew",
    "Devanagari",
    "other",
    "private use",
)
"""Kinds of letters; `none` is what is no letter: digits, blanks, punctuation, pictures."""
PRIVATE = SCRIPTS.index("private use")
DIACRITICS_SHARE = 0.02
"""Share of Latin letters from which a text counts as Latin with diacritics: German prose has 2 to 4 per cent,
Vietnamese about 25, English borrowings such as `café` far less."""
KANA_SHARE = 0.1
"""Share of Kana among Han and Kana from which a text counts as Kana: Japanese prose has about half."""

_RANGES = (
    ("Latin", "AZ", "az"),
    ("Latin with diacritics", "ÀÖ", "Øö", "øɏ", "Ḁỿ"),
    ("Han", "㐀䶿", "一鿿", "豈\ufaff", "\U00020000\U0003ffff", "々〇"),
    ("Kana", "ぁゟ", "ァヺ", "ーヿ", "ｦﾟ"),
    ("Hangul", "가힣", "ᄀᇿ", "ㄱㆎ"),
    ("Thai", "กฺ", "เ๎"),
    ("Cyrillic", "Ѐԯ"),
    ("Greek", "Ͱϡ", "ἀ῾"),
    ("Arabic", "ؠي", "ٮە", "ݐݿ", "ࢠࣿ", "\ufb50\ufdff", "\ufe70\ufefc"),
    ("Hebrew", "אײ"),
    ("Devanagari", "ऀॣ", "ॱॿ"),
    ("other", "԰֏", "ঀ\u0dff", "຀\u10ff", "ሀ᭿", "ꀀ꓿", "Ꙁꙮ"),
    ("private use", "\ue000\uf8ff", "\U000f0000\U0010fffd"),
)


def dominant(texts: Sequence[str]) -> "tuple[NDArray[np.uint8], NDArray[np.bool_]]":
    """For each text the index in SCRIPTS of most of its letters, and whether it has private-use ones."""
    import numpy as np

    kinds = len(SCRIPTS)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    classes = np.repeat(np.arange(len(texts)) * kinds, lengths) + of_characters("".join(texts))
    counts = np.bincount(classes, minlength=len(texts) * kinds).reshape(len(texts), kinds)
    private = counts[:, PRIVATE] > 0
    letters = counts.copy()
    letters[:, 0] = letters[:, PRIVATE] = 0
    _join(letters, "Latin", "Latin with diacritics", DIACRITICS_SHARE)
    _join(letters, "Han", "Kana", KANA_SHARE)
    return letters.argmax(1).astype(np.uint8), private


def of_characters(text: str) -> "NDArray[np.uint8]":
    """The index in SCRIPTS of each character."""
    import numpy as np

    return _table()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]


def script_of(text: str) -> str:
    """The one of SCRIPTS that most of the letters belong to."""
    return SCRIPTS[int(dominant([text])[0][0])]


def _join(counts: "NDArray[np.int64]", plain: str, marking: str, share: float) -> None:
    """Two kinds of letters that are written together become the one that tells more."""
    import numpy as np

    a, b = SCRIPTS.index(plain), SCRIPTS.index(marking)
    both = counts[:, a] + counts[:, b]
    marks = counts[:, b] >= np.maximum(share * both, 1)
    counts[:, a], counts[:, b] = np.where(marks, 0, both), np.where(marks, both, 0)


@cache
def _table() -> "NDArray[np.uint8]":
    """Code point to index in SCRIPTS."""
    import numpy as np

    table = np.zeros(0x110000, np.uint8)
    for name, *ranges in _RANGES:
        for ends in ranges:
            table[ord(ends[0]) : ord(ends[1]) + 1] = SCRIPTS.index(name)
    table[[ord("×"), ord("÷")]] = 0
    return table
