"""Answers that are not whole: empty, cut off, without the end of a sentence, too short or too long."""

import unicodedata

from workbench.evaluation.checks.answer import Answer, Expected, Finding, whole
from workbench.prompts.survey.checks.scripts import script_of

EMPTY = "nothing, or only blanks"
NOT_STOPPED = (
    "the model did not end the answer itself: it ran to the longest length, was stopped, or the context "
    "was full"
)
NO_SENTENCE_END = (
    "the last character, closing quotes and brackets aside, is no end of a sentence (. ! ? … 。！？ and the "
    "like). Thai writes none, so an answer in Thai passes; so does one whose reference has no such end "
    "either"
)
LENGTH = "characters over the longest or under the shortest length that was set; none without a limit"

STOPPED = ("stop token", "stop text")
"""How an answer ends that the model ended itself."""
SENTENCE_ENDS = frozenset(".!?…。！？｡．‥⋯।॥؟۔։።៕။~～♪")
_CLOSING = frozenset("\"'`*_”’»›」』）)]】》〉}")
_MODIFIERS = ("Sk", "Cf", "Mn")
"""Categories of what stands behind an emoji: skin tones, joiners, variation selectors."""
_LOOKED_AT = 40
"""Characters of the end that tell its script."""


def empty(answer: Answer, expected: Expected) -> list[Finding]:
    """`EMPTY`."""
    return [] if answer.text.strip() else [Finding("empty", 1, "no answer", whole(answer))]


def not_stopped(answer: Answer, expected: Expected) -> list[Finding]:
    """`NOT_STOPPED`; nothing where it is not known how the answer ended."""
    if not answer.ended or answer.ended in STOPPED:
        return []
    end = len(answer.text)
    return [Finding("not-stopped", 1, f"did not end by itself: {answer.ended}", (max(0, end - 1), end))]


def no_sentence_end(answer: Answer, expected: Expected) -> list[Finding]:
    """`NO_SENTENCE_END`."""
    text = answer.text.rstrip()
    if not text or ends_sentence(text) or (answer.reference.strip() and not ends_sentence(answer.reference)):
        return []
    return [Finding("no-sentence-end", 1, f"ends in {text[-12:]!r}", (len(text) - 1, len(text)))]


def length(answer: Answer, expected: Expected) -> list[Finding]:
    """`LENGTH`."""
    size = len(answer.text)
    if expected.longest and size > expected.longest:
        what = f"{size:,} characters, {expected.longest:,} at most"
        return [Finding("length", size - expected.longest, what, (expected.longest, size))]
    if size < expected.shortest and answer.text.strip():
        what = f"{size:,} characters, {expected.shortest:,} at least"
        return [Finding("length", expected.shortest - size, what, whole(answer))]
    return []


def ends_sentence(text: str) -> bool:
    """The text ends as a sentence does, or in a picture, such as an emoji."""
    for sign in reversed(text):
        category = unicodedata.category(sign)
        if sign in SENTENCE_ENDS or category == "So":
            return True
        if not (sign.isspace() or sign in _CLOSING or category in _MODIFIERS):
            break
    return script_of(text[-_LOOKED_AT:]) == "Thai"
