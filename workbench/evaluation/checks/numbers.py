"""Numbers of an answer that nobody supplied.

One number is written in many ways: 1.000, 1,000, 1 000, １０００, ๑๐๐๐ are a thousand, and 1.000 may be one
as well. So a number has readings, and it is supplied when one of them is.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from workbench.evaluation.checks.answer import Answer, Expected, Finding, Span

NUMBERS = (
    "numbers that stand neither in the question nor in the supplied facts nor in the reference, however "
    "they are written (1.000, 1,000, 1 000, １０００, Thai digits; signs, per cent and currencies aside). "
    "Numbers of a list (1. 2. 3.) are none; numbers in words are not read. The figure is how many"
)

_NUMBER = re.compile(
    r"(?<!\d)\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)"  # 1 000, 1'000.50
    r"|\d+(?:[.,]\d+)*"
)
_BLANKS = re.compile(r"[ \u00a0\u202f'’]")
_LISTED = re.compile(r"^[ \t]*(?:[-*] )?(\d{1,2})[.)、．：:](?!\d)", re.M)
_PERCENT = re.compile(r"\s?[%％٪]")


def numbers(answer: Answer, expected: Expected) -> list[Finding]:
    """`NUMBERS`."""
    supplied = frozenset().union(*map(_supplied, (answer.question, answer.reference, *answer.facts)))
    wrong = [
        span
        for span, readings, parts in found_in(answer.text, listed=False)
        if readings.isdisjoint(supplied) and not (parts and parts <= supplied)
    ]
    if not wrong:
        return []
    shown = ", ".join(dict.fromkeys(answer.text[slice(*span)] for span in wrong))
    return [Finding("numbers", len(wrong), f"not supplied: {shown}", wrong[0])]


@lru_cache(maxsize=256)
def _supplied(text: str) -> frozenset[str]:
    """What the numbers of a text may mean; the same system message stands before many answers."""
    return frozenset(value for _, readings, parts in found_in(text) for value in readings | parts)


def found_in(text: str, listed: bool = True) -> Iterator[tuple[Span, set[str], set[str]]]:
    """Every number of `text`: its place, what it may mean, and the numbers it may consist of (as in 12/5 or
    `3 400`), each written without needless zeros.

    Args:
        text: any text.
        listed: numbers at the beginning of a line that count its items belong to them too.
    """
    plain = ascii_digits(text)
    items = set() if listed else {match.start(1) for match in _LISTED.finditer(plain)}
    for match in _NUMBER.finditer(plain):
        if match.start() in items:
            continue
        readings, parts = _readings(match[0])
        if _PERCENT.match(plain, match.end()):
            readings = readings | {_hundredth(reading) for reading in readings}
        yield match.span(), readings, parts


def ascii_digits(text: str) -> str:
    """The text with digits of every script, and fullwidth separators, in ASCII; of the same length."""
    if text.isascii():
        return text
    signs = {c for c in text if not c.isascii() and c.isdecimal()}
    table = {ord(c): str(unicodedata.decimal(c)) for c in signs}
    return text.translate(table | {ord("．"): ".", ord("，"): ","} if signs else table)


def _readings(number: str) -> tuple[set[str], set[str]]:
    """What a run of digits and separators may mean as one number, and as several."""
    joined = _BLANKS.sub("", number)
    pieces = re.split(r"[.,]", joined)
    marks = [sign for sign in joined if sign in ".,"]
    threes = [len(piece) == 3 for piece in pieces[1:]]
    grouped = all(threes) and len(pieces[0]) <= 3 and pieces[0] != "0"
    readings = set()
    if len(marks) < 2:
        readings.add(_plain(*pieces))
    if grouped and len(set(marks)) == 1:
        readings.add(_plain("".join(pieces)))
    if len(set(marks[:-1])) == 1 and marks[-1] != marks[0] and all(threes[:-1]):
        readings.add(_plain("".join(pieces[:-1]), pieces[-1]))
    # A date or a version, or two numbers with a blank between them
    parts = {_plain(part) for part in re.split(r"\D", number)} if joined != number or not readings else set()
    return readings, parts


def _plain(whole: str, decimals: str = "") -> str:
    whole, decimals = whole.lstrip("0") or "0", decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def _hundredth(reading: str) -> str:
    """`50` as `0.5`."""
    whole, _, decimals = reading.partition(".")
    whole = whole.zfill(3)
    return _plain(whole[:-2], whole[-2:] + decimals)
