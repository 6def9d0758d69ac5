"""Words of a text exchanged for others: whole words, in any script, the case of the text kept.

Scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are searched as plain
text: where a word ends there, only a dictionary knows.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x31FF),  # CJK radicals, kana, Bopomofo
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class Keywords:
    """The words that are searched for, read once.

    Where one keyword is part of another, the longer one counts: with `máy` and `máy tính`, the text
    `máy tính` holds only the latter.
    """

    def __init__(self, keywords: Mapping[str, Sequence[str]]) -> None:
        self.alternatives = {word: list(others) for word, others in keywords.items() if word}
        spelt: dict[str, str] = {}
        for word in sorted(self.alternatives, key=len, reverse=True):
            for form in ("NFC", "NFD"):
                spelt.setdefault(unicodedata.normalize(form, word), word)
        self._spelt = {_folded(spelling): word for spelling, word in spelt.items()}
        choice = "|".join(map(re.escape, sorted(spelt, key=len, reverse=True)))
        self._pattern = re.compile(choice, re.IGNORECASE) if choice else None

    def found(self, text: str) -> set[str]:
        """The keywords that `text` holds as whole words."""
        return {self._spelt[_folded(match[0])] for match in self._matches(text)}

    def replaced(self, text: str, chosen: Mapping[str, str]) -> str:
        """`text` with every whole word that `chosen` names exchanged; in one pass, so that two words may
        stand for each other."""
        parts: list[str] = []
        end = 0
        for match in self._matches(text):
            word = self._spelt[_folded(match[0])]
            if word in chosen:
                parts += (text[end : match.start()], _cased(chosen[word], match[0], word))
                end = match.end()
        return "".join([*parts, text[end:]])

    def _matches(self, text: str) -> list[re.Match[str]]:
        """Whole words from left to right. A match inside of a word does not hide a whole word after it."""
        found: list[re.Match[str]] = []
        start = 0
        while self._pattern and (match := self._pattern.search(text, start)):
            if _whole(text, match) and _folded(match[0]) in self._spelt:
                found.append(match)
                start = match.end()
            else:
                start = match.start() + 1
        return found


def keyword_variants(text: str, keywords: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Every text that one exchanged word makes of `text`, each with how it was made:
    `("keyword laptop -> máy tính", "Máy tính của em hỏng")`."""
    search = Keywords(keywords)
    present = search.found(text)
    return [
        (f"keyword {word} -> {other}", search.replaced(text, {word: other}))
        for word, others in keywords.items()
        if word in present
        for other in others
    ]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _whole(text: str, match: re.Match[str]) -> bool:
    """No part of a word stands next to the match; a combining mark belongs to what it follows."""
    start, end = match.span()
    after = text[end] if end < len(text) else ""
    if after and unicodedata.category(after)[0] == "M":
        return False
    return not (start and _joined(text[start - 1], text[start])) and not (
        after and _joined(text[end - 1], after)
    )


def _joined(left: str, right: str) -> bool:
    return _of_word(left) and _of_word(right)


def _of_word(sign: str) -> bool:
    """A sign that words of scripts with spaces are made of."""
    code = ord(sign)
    if any(low <= code <= high for low, high in _UNSPACED):
        return False
    return sign.isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"


def _cased(other: str, found: str, word: str) -> str:
    """`other` as `found` is written, where that differs from the keyword itself."""
    if found == word:
        return other
    if len(found) > 1 and found.isupper():
        return other.upper()
    if found[0].isupper() and not word[0].isupper():
        return other[:1].upper() + other[1:]
    return other
