"""What one row can become by itself: its replies one by one, and the same question in other words.

Answers are never touched, nor are system messages: a change is made to what users say and to the context
blocks before it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from random import Random

from workbench.data.augment.keywords import Keywords
from workbench.data.example import Example

_MOST = 1000
"""Variants of one row with the same number of changes, before they are shuffled: ten words with five
alternatives each have sixty million."""
TEXT = "{text}"
_TITLE = re.compile(r"[^\n:：,，、.。!！?？]{1,40}[:：][^\n]*\n")
"""A first line that begins with a title, `Ngữ cảnh: …`, and is not the last one; 40 characters and no marks
of a sentence, which `Chào shop, em hỏi: …` has."""


@dataclass(frozen=True, slots=True)
class Variant:
    """An example made from another one.

    Attributes:
        example: with the origin, tags and given keys of the one it is made from.
        by: what was done, in order: `break after reply 1`, `keyword laptop -> máy tính`.
    """

    example: Example
    by: tuple[str, ...]


def break_conversation(example: Example) -> list[Variant]:
    """One row for each reply with all that was said before it, in order.

    The last one is the conversation itself. Trained with `train_on = "last"`, each reply is taught once.
    """
    replies = [n for n, message in enumerate(example.messages) if message.role == "assistant"]
    return [
        Variant(replace(example, messages=example.messages[: end + 1]), (f"break after reply {n}",))
        for n, end in enumerate(replies, 1)
    ]


def paraphrase(text: str, templates: Sequence[str]) -> list[tuple[str, str]]:
    """`text` in every template, each with how it was made, `template Cho em hỏi: {text}`."""
    return [(f"template {template}", template.replace(TEXT, text)) for template in templates]


def in_parts(example: Example) -> bool:
    """Whether the last user message is put together of parts under titles, such as `Ngữ cảnh: …`.

    A template around such a message would stand before its first title and not at the question.
    """
    asked = [message.content.strip() for message in example.messages if message.role == "user"]
    return bool(asked) and bool(_TITLE.match(asked[-1]))


def variants(
    example: Example,
    keywords: Keywords,
    templates: Sequence[str],
    questions: Sequence[tuple[str, str]],
    order: Random,
    most_changes: int | None = None,
) -> Iterator[Variant]:
    """The variants of one example: those with a single change, then those with two, and so on.

    Args:
        example: what they are made from.
        keywords: exchanged in all user messages and context blocks.
        templates: other ways to put the last user message.
        questions: whole texts that may stand for the last user message, each with how it was made.
        order: shuffles the variants of one number of changes.
        most_changes: where to end; None for all changes at once.
    """
    asked = [n for n, message in enumerate(example.messages) if message.role == "user"]
    if not asked:
        return
    texts = [example.messages[n].content for n in asked] + [text for _, text in example.blocks]
    present = set().union(*map(keywords.found, texts))
    slots = [
        [_Change(f"keyword {word} -> {other}", word, other) for other in others]
        for word, others in keywords.alternatives.items()
        if word in present
    ]
    slots.append(
        [_Change(f"template {template}", template=template) for template in templates]
        + [_Change(by, question=text) for by, text in questions]
    )
    slots = [slot for slot in slots if slot]
    for count in range(1, min(len(slots), most_changes or len(slots)) + 1):
        several = (chosen for picked in combinations(slots, count) for chosen in product(*picked))
        changes = list(islice(several, _MOST))
        order.shuffle(changes)
        for chosen in changes:
            yield Variant(_changed(example, keywords, asked, chosen), tuple(change.by for change in chosen))


@dataclass(frozen=True, slots=True)
class _Change:
    """One change: a keyword with its other word, a template of the question, or a whole question."""

    by: str
    word: str = ""
    other: str = ""
    template: str = ""
    question: str = ""


def _changed(
    example: Example, keywords: Keywords, asked: Sequence[int], changes: Sequence[_Change]
) -> Example:
    chosen = {change.word: change.other for change in changes if change.word}
    messages = list(example.messages)
    for change in changes:
        if change.question:
            messages[asked[-1]] = replace(messages[asked[-1]], content=change.question)
    for n in asked:
        messages[n] = replace(messages[n], content=keywords.replaced(messages[n].content, chosen))
    for change in changes:
        if change.template:
            [(_, content)] = paraphrase(messages[asked[-1]].content, [change.template])
            messages[asked[-1]] = replace(messages[asked[-1]], content=content)
    blocks = tuple((title, keywords.replaced(text, chosen)) for title, text in example.blocks)
    return replace(example, messages=tuple(messages), blocks=blocks)
