"""Answers that say the same again: lines, runs of words, and an end that goes round in a circle."""

import re
from collections import Counter

from workbench.evaluation.checks.answer import Answer, Expected, Finding, Span, whole
from workbench.prompts.survey.checks.scripts import script_of
from workbench.prompts.survey.checks.seen import short

REPETITION = (
    "repeated lines: share of the lines that stood before, from a third of at least three; repeated runs: "
    "1 - distinct / all runs of 4 words (of 8 characters where the script has no spaces), over half of at "
    "least 16 (seq-rep-4 of Welleck et al. 2019, arXiv 1908.04319)"
)
LOOP = (
    "the end of the answer is one piece three times and more, at least 12 characters in all; the figure "
    "is how often"
)
LINE_SHARE, LINES = 1 / 3, 3
RUN_WORDS, RUN_CHARACTERS = 4, 8
RUN_SHARE, RUNS = 0.5, 16
UNSPACED = ("Han", "Kana", "Thai")
"""Scripts that put no space between words."""
TIMES = 3
LOOP_CHARACTERS = 12
TAIL = 4000
"""Characters of the end that are searched for a loop."""

_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"\w+")


def repetition(answer: Answer, expected: Expected) -> list[Finding]:
    """`REPETITION`: the figure is the higher of both shares."""
    found = []
    share, span = repeated_lines(answer.text)
    if share >= LINE_SHARE:
        found.append(Finding("repetition", share, f"{share:.0%} of the lines stood before", span))
    share = repeated_runs(answer.text)
    if share >= RUN_SHARE:
        what = f"{share:.0%} of its runs of words stood before"
        found.append(Finding("repetition", share, what, whole(answer)))
    return found


def loop(answer: Answer, expected: Expected) -> list[Finding]:
    """`LOOP`."""
    period, times, start = looping_end(answer.text)
    if not period:
        return []
    what = f"ends in {short(answer.text[start : start + period])} {int(times)} times"
    return [Finding("loop", times, what, (start, len(answer.text.rstrip())))]


def repeated_lines(text: str) -> tuple[float, Span]:
    """Share of the lines with text that are equal to an earlier one, and the place of the first such; 0 for
    fewer than three lines."""
    seen: Counter[str] = Counter()
    first: Span = (0, 0)
    for line in _LINE.finditer(text):
        if said := line[0].strip():
            if said in seen and first == (0, 0):
                first = line.span()
            seen[said] += 1
    lines = seen.total()
    return (1 - len(seen) / lines if lines >= LINES else 0.0), first


def repeated_runs(text: str) -> float:
    """1 - distinct / all runs of words or characters; 0 for a text too short to tell."""
    if script_of(text) in UNSPACED:
        units, size = [c for c in text if not c.isspace()], RUN_CHARACTERS
    else:
        units, size = _WORD.findall(text.casefold()), RUN_WORDS
    runs = [tuple(units[i : i + size]) for i in range(len(units) - size + 1)]
    return 1 - len(set(runs)) / len(runs) if len(runs) >= RUNS else 0.0


def looping_end(text: str) -> tuple[int, float, int]:
    """The piece that the end of `text` consists of: its length, how often it stands there, where that begins.

    Zeros where there is none. Of several the one that covers most, then the shortest. Blanks at the end do
    not count; a last piece may be cut off.
    """
    text = text.rstrip()
    tail = text[-TAIL:][::-1]
    reach = _reach(tail)
    best, covered = 0, 0
    for period in range(1, len(tail) // TIMES + 1):
        run = period + reach[period]
        if run >= max(TIMES * period, LOOP_CHARACTERS) and run > covered:
            best, covered = period, run
    return (best, covered / best, len(text) - covered) if best else (0, 0.0, 0)


def _reach(text: str) -> list[int]:
    """How many characters from each place on equal the beginning: the Z function, in linear time."""
    size = len(text)
    reach = [0] * size
    left = right = 0
    for i in range(1, size):
        length = min(right - i, reach[i - left]) if i < right else 0
        while i + length < size and text[length] == text[i + length]:
            length += 1
        reach[i] = length
        if i + length > right:
            left, right = i, i + length
    return reach
