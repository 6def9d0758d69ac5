"""What a language must bring: questions, answers, moods and facts to put in a context block.

A language module is data only; `corpus.py` turns it into conversations. Every question has exactly one right
answer, so that the trained model can be scored by exact match.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Draw = Callable[[random.Random], tuple[str, ...]]
"""Draws the values of the slots `{0}`, `{1}`, ... of one exchange."""


@dataclass(frozen=True)
class Skill:
    """One kind of exchange: ways to ask, the one answer, and what fills the slots of both."""

    name: str
    ask: tuple[str, ...]
    answer: str
    draw: Draw
    follow: tuple[str, ...] = ()
    """Short forms of the question ("And Italy?"), understood only after a question of the same skill."""


@dataclass(frozen=True)
class Fact:
    """One sentence of a context block, how to ask for it and the answer that copies its values."""

    sentence: str
    ask: tuple[str, ...]
    answer: str
    draw: Draw


@dataclass(frozen=True)
class Context:
    """Facts of which a few are told, and the answer for those that are not."""

    label: str
    question: str
    joiner: str
    unknown: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Mood:
    """The mark of a mood: a word before the answer and a sign after it."""

    before: str
    after: str

    def colour(self, answer: str) -> str:
        """The answer in this mood."""
        return self.before + answer + self.after


@dataclass(frozen=True)
class Language:
    """All that the corpus says in one language."""

    code: str
    systems: tuple[str, ...]
    moods: Mapping[str, Mood]
    skills: tuple[Skill, ...]
    name: Skill
    recall: Skill
    """Asks for the name that the `name` skill told in an earlier turn."""
    context: Context
    translate: str
    """Question with the slots word and target language."""
    translated: str
    """Answer with the slots word, target language and translated word."""
    repeat: str
    """Asks to repeat the words of the one slot: the plainest lesson in copying, which the context needs."""
    languages: Mapping[str, str]
    """What this language calls each language of the corpus, by code."""


def nothing(rng: random.Random) -> tuple[str, ...]:
    """No slots."""
    del rng
    return ()


def rows(*table: tuple[str, ...]) -> Draw:
    """One row of a table."""
    return lambda rng: rng.choice(table)


def words(text: str) -> Draw:
    """One word of a text; `_` stands for a space inside a word."""
    return rows(*((word.replace("_", " "),) for word in text.split()))


def pairs(text: str) -> Draw:
    """One line of `left=right` lines."""
    return rows(*(tuple(line.strip().split("=")) for line in text.strip().splitlines()))


def both_ways(text: str) -> Draw:
    """One line of `left=right` lines, in either order."""
    one_way = pairs(text)

    def draw(rng: random.Random) -> tuple[str, ...]:
        row = one_way(rng)
        return row if rng.random() < 0.5 else row[::-1]

    return draw


def number(low: int, high: int, unit: int = 1) -> Draw:
    """A whole number from low to high, times a unit."""
    return lambda rng: (str(rng.randint(low, high) * unit),)


def digits(count: int, first: str = "") -> Draw:
    """A string of digits, such as an order or telephone number."""
    return lambda rng: (first + "".join(rng.choice("0123456789") for _ in range(count)),)


def joined(*draws: Draw) -> Draw:
    """The slots of several draws, one after the other."""
    return lambda rng: tuple(value for draw in draws for value in draw(rng))


def sums(rng: random.Random) -> tuple[str, ...]:
    """Two numbers from 0 to 9 and their sum."""
    left, right = rng.randint(0, 9), rng.randint(0, 9)
    return str(left), str(right), str(left + right)
