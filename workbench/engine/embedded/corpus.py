"""Conversations from the languages' data: seeded, endless, each with the skill that every answer shows.

Half of the conversations carry a `mood:` line in the system message, and their answers wear its mark; the
others are answered calmly. The mood words are English in every language, as in a user's control line.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.engine.embedded.chinese import CHINESE
from workbench.engine.embedded.dictionary import WORDS
from workbench.engine.embedded.english import ENGLISH
from workbench.engine.embedded.german import GERMAN
from workbench.engine.embedded.skill import Context, Fact, Language, Skill
from workbench.engine.embedded.thai import THAI
from workbench.engine.embedded.vietnamese import VIETNAMESE

LANGUAGES = (ENGLISH, GERMAN, VIETNAMESE, THAI, CHINESE)
MOODS = ("happy", "angry", "sad", "calm")

Message = dict[str, str]
"""`{"role": "system" | "user" | "assistant", "content": text}`."""


@dataclass(frozen=True)
class Turn:
    """A question, its one right answer in a calm mood, and the skill it shows."""

    skill: str
    user: str
    answer: str


@dataclass(frozen=True)
class Conversation:
    """One conversation: language code, mood (`None`: no mood line), messages and the skill of each answer."""

    language: str
    mood: str | None
    messages: tuple[Message, ...]
    skills: tuple[str, ...]


def conversations(seed: int, count: int) -> Iterator[Conversation]:
    """`count` conversations; the same seed gives the same ones."""
    rng = random.Random(seed)
    for _ in range(count):
        yield conversation(rng)


def conversation(rng: random.Random) -> Conversation:
    """One conversation of one to four turns."""
    language = rng.choice(LANGUAGES)
    mood = rng.choice(MOODS) if rng.random() < 0.5 else None
    system: list[str] = []
    if rng.random() < 0.3:
        system.append(rng.choice(language.systems))
    if mood:
        system.append(f"mood: {mood}")
    if rng.random() < 0.35:
        block, turns = _context_turns(rng, language.context)
        if rng.random() < 0.5:
            system.append(block)
        else:
            first = turns[0]
            user = f"{block}\n{language.context.question}: {first.user}"
            turns = [Turn(first.skill, user, first.answer), *turns[1:]]
    else:
        turns = _free_turns(rng, language)
    messages: list[Message] = []
    if system:
        messages.append({"role": "system", "content": "\n".join(system)})
    for turn in turns:
        answer = turn.answer if mood in (None, "calm") else language.moods[mood].colour(turn.answer)
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": answer})
    return Conversation(language.code, mood, tuple(messages), tuple(turn.skill for turn in turns))


def _context_turns(rng: random.Random, context: Context) -> tuple[str, list[Turn]]:
    """The context block, and one to three questions about it, some of which it cannot answer."""
    facts = rng.sample(context.facts, rng.randint(2, 5))
    told = [(fact, fact.draw(rng)) for fact in facts]
    sentences = context.joiner.join(_fill(fact.sentence, values) for fact, values in told)
    block = f"{context.label}: {sentences}"
    rng.shuffle(told)
    turns: list[Turn] = []
    for fact, values in told[: rng.randint(1, 3)]:
        if rng.random() < 0.15:
            missing = rng.choice([fact for fact in context.facts if fact not in facts])
            turns.append(Turn("unknown", _ask(rng, missing, missing.draw(rng)), context.unknown))
        else:
            turns.append(Turn("context", _ask(rng, fact, values), _fill(fact.answer, values)))
    return block, turns


def _ask(rng: random.Random, fact: Fact, values: tuple[str, ...]) -> str:
    return _fill(rng.choice(fact.ask), values)


def _fill(template: str, values: tuple[str, ...]) -> str:
    """The sentence with its slots filled, and a capital first letter where the script has them."""
    text = template.format(*values)
    return text[:1].upper() + text[1:]


def _free_turns(rng: random.Random, language: Language) -> list[Turn]:
    """One to four turns; a turn may shorten the question before it, or ask for the name told earlier."""
    names = sorted({skill.name for skill in language.skills}) + ["name", "translation", "repeat"]
    turns: list[Turn] = []
    last: Skill | None = None
    told_name: tuple[str, ...] | None = None
    for _ in range(rng.randint(1, 4)):
        if told_name and rng.random() < 0.4:
            turns.append(_turn(rng, language.recall, language.recall.ask, told_name))
            last = None
            continue
        if last and last.follow and rng.random() < 0.4:
            turns.append(_turn(rng, last, last.follow, last.draw(rng)))
            continue
        kind = rng.choice(names)
        if kind == "translation":
            turns.append(_translation(rng, language))
            last = None
        elif kind == "repeat":
            turns.append(_repetition(rng, language))
            last = None
        elif kind == "name":
            told_name = language.name.draw(rng)
            turns.append(_turn(rng, language.name, language.name.ask, told_name))
            last = None
        else:
            last = rng.choice([skill for skill in language.skills if skill.name == kind])
            turns.append(_turn(rng, last, last.ask, last.draw(rng)))
    return turns


def _turn(rng: random.Random, skill: Skill, ask: tuple[str, ...], values: tuple[str, ...]) -> Turn:
    return Turn(skill.name, _fill(rng.choice(ask), values), _fill(skill.answer, values))


def _translation(rng: random.Random, language: Language) -> Turn:
    word = rng.choice(WORDS)
    target = rng.choice([code for code in word if code != language.code])
    values = (word[language.code], language.languages[target], word[target])
    return Turn("translation", _fill(language.translate, values), _fill(language.translated, values))


def _repetition(rng: random.Random, language: Language) -> Turn:
    """Two to five words of any language and numbers of any length, to be said again."""
    words = [rng.choice(list(rng.choice(WORDS).values())) for _ in range(rng.randint(1, 3))]
    words += [str(rng.randrange(10 ** rng.randint(1, 6))) for _ in range(rng.randint(1, 2))]
    rng.shuffle(words)
    text = " ".join(words)
    return Turn("repeat", language.repeat.format(text), text)
