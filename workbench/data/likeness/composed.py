"""Unicode's composed form (NFC), in a time that grows with the text and no faster."""

import re
import unicodedata

# Marks are neither letters nor white space. Sorting a run of them takes the square of its length in CPython,
# 40 seconds for 200,000; UAX 15 (stream-safe text) knows no writing with more than 30
_ENDLESS = re.compile(r"[^\w\s!-~]{1000,}")


def composed(text: str) -> str:
    """`text` with letters and their marks as one code point where there is one; runs of a thousand and more
    marks or signs stay as they are."""
    if text.isascii():
        return text
    if not _ENDLESS.search(text):
        return unicodedata.normalize("NFC", text)
    parts, end = [], 0
    for run in _ENDLESS.finditer(text):
        parts += [unicodedata.normalize("NFC", text[end : run.start()]), run[0]]
        end = run.end()
    return "".join([*parts, unicodedata.normalize("NFC", text[end:])])
