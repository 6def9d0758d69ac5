"""What the references look like letter by letter, to tell word salad of another alphabet from an answer."""

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence

FEWEST_TEXTS, FEWEST_CHARACTERS = 20, 1000
QUANTILE = 0.99
MARGIN = 0.5
"""Bits a letter above what nearly all references have, before an answer is called improbable."""
SHORTEST = 12
"""Letters under which a text is not judged: a name can be of any."""
_START = " "


class CharacterModel:
    """Pairs of neighbouring letters of some texts, counted; the bits that each letter of a text costs.

    Letters in lower case, with a blank where anything else stands: how a text is set (line breaks, quotes,
    blanks before full stops) is no sign of sense. Pairs are interpolated with single letters by Witten and
    Bell's rule: what was not seen costs as much as the number of its rivals makes likely.

    Attributes:
        limit: bits a letter over which a text is improbable; inf where the texts are too few to say.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._pairs: Counter[str] = Counter()
        self._singles: Counter[str] = Counter()
        self._followers: Counter[str] = Counter()
        self._after: Counter[str] = Counter()
        self._total = 0
        self.limit = math.inf
        self._take(texts[::2])
        held = [self.bits(text) for text in texts[1::2] if len(_letters(text)) >= SHORTEST]
        self._take(texts[1::2])
        if len(held) >= FEWEST_TEXTS // 2 and self._total >= FEWEST_CHARACTERS:
            self.limit = sorted(held)[min(len(held) - 1, int(QUANTILE * len(held)))] + MARGIN

    def bits(self, text: str) -> float:
        """Mean cost of a letter of `text`, in bits; 0 where there are too few to judge."""
        text, cost = _letters(text), 0.0
        if len(text) < SHORTEST:
            return 0.0
        for before, sign in zip(_START + text, text, strict=False):
            kinds, total = self._followers[before], self._after[before]
            single = self._single(sign)
            likely = (self._pairs[before + sign] + kinds * single) / (total + kinds) if total else single
            cost -= math.log2(likely)
        return cost / len(text)

    def _single(self, sign: str) -> float:
        kinds, total = len(self._singles), self._total
        return (self._singles[sign] + kinds / 0x110000) / (total + kinds) if total else 1 / 0x110000

    def _take(self, texts: Sequence[str]) -> None:
        for text in map(_letters, texts):
            self._total += len(text)
            for before, sign in zip(_START + text, text, strict=False):
                self._followers[before] += before + sign not in self._pairs
                self._pairs[before + sign] += 1
                self._after[before] += 1
                self._singles[sign] += 1


def _letters(text: str) -> str:
    """Words of letters and their marks, with one blank between."""
    kept = (sign if unicodedata.category(sign)[0] in "LM" else " " for sign in text.casefold())
    return " ".join("".join(kept).split())
