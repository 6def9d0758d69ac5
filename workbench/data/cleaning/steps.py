"""One rule of `clean`, ready to be carried out on examples."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.data.cleaning import characters, wiki
from workbench.data.cleaning.html import html
from workbench.data.cleaning.labels import label
from workbench.data.example import Example, Message, Rejected, Role
from workbench.errors import fault
from workbench.project.source import Cleaning, CleaningName, CleaningRule

Edit = Callable[[str], str]

_EDITS: dict[CleaningName, Edit] = {
    "strip": characters.strip,
    "spaces": characters.spaces,
    "newlines": characters.newlines,
    "html": html,
    "wiki_headings": wiki.wiki_headings,
    "wiki_links": wiki.wiki_links,
    "bom": characters.bom,
    "private_use": characters.private_use,
    "nfc": characters.nfc,
}
_NOUN: dict[Role, str] = {"system": "system message", "user": "question", "assistant": "answer"}
_TIMEOUT = 1.0
"""Seconds for a pattern on one message: thousands of times what a sound one takes."""
_PATIENCE = 3.0
"""Seconds that a pattern may waste in all, then every row with a match to look for is rejected at once."""


class TooSlow(Exception):
    """A pattern did not come to an end on a text."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as code.

    Attributes:
        label: what reports call it.
        once: its second pass over its own result could change more: it is not repeated.
        apply: gives back the example itself when there is nothing to do.
    """

    label: str
    once: bool
    apply: Callable[[Example], Example | Rejected]


def rule_of(cleaning: Cleaning) -> Rule:
    """The code of a rule. Raises WorkbenchError for one that says nothing, or a pattern that is none."""
    name = label(cleaning)
    if isinstance(cleaning, str):
        if cleaning == "redirects":
            return Rule(name, False, _without_redirects)
        return Rule(name, False, _editing(_EDITS[cleaning], None))
    role = None if cleaning.on == "all" else cleaning.on
    if cleaning.prefix or cleaning.suffix:
        marks = [mark.strip() for mark in cleaning.prefix or cleaning.suffix]
        if not all(marks):
            raise fault("a mark of blanks only", f"clean: {name}", "the rule `strip` takes blanks off")
        edit = _without_prefix(marks) if cleaning.prefix else _without_suffix(marks)
        return Rule(name, False, _editing(edit, role))
    if cleaning.replace:
        return Rule(name, True, _editing(_replacing(cleaning), role))
    if cleaning.min_chars is None and cleaning.max_chars is None:
        raise fault("a rule of `clean` that does nothing", "clean", "give prefix, suffix, replace or a limit")
    return Rule(name, False, _limited(cleaning, role))


def _editing(edit: Edit, role: Role | None) -> Callable[[Example], Example | Rejected]:
    def apply(example: Example) -> Example | Rejected:
        changed: dict[int, Message] = {}
        for i, message in enumerate(example.messages):
            if role is not None and message.role != role:
                continue
            try:
                text = edit(message.content)
            except TooSlow as e:
                return Rejected(example.origin, str(e), f"turn {i + 1}")
            if text == message.content:
                continue
            if not text.strip():
                return Rejected(example.origin, "empty after cleaning", f"{message.role}, turn {i + 1}")
            changed[i] = replace(message, content=text)
        if not changed:
            return example
        return replace(example, messages=tuple(changed.get(i, m) for i, m in enumerate(example.messages)))

    return apply


def _without_redirects(example: Example) -> Example | Rejected:
    for message in example.messages:
        if message.role == "assistant" and wiki.is_redirect(message.content):
            return Rejected(example.origin, "redirect stub", message.content.strip()[:80], filtered=True)
    return example


def _limited(rule: CleaningRule, role: Role | None) -> Callable[[Example], Example | Rejected]:
    low = rule.min_chars or 0
    high = rule.max_chars if rule.max_chars is not None else float("inf")

    def apply(example: Example) -> Example | Rejected:
        for i, message in enumerate(example.messages):
            if (role is None or message.role == role) and not low <= len(message.content) <= high:
                short = len(message.content) < low
                reason = (
                    f"{_NOUN[message.role]} {'shorter' if short else 'longer'} than {low if short else high}"
                )
                detail = f"turn {i + 1} has {len(message.content)}"
                return Rejected(example.origin, f"{reason} characters", detail, filtered=True)
        return example

    return apply


def _without_prefix(marks: Sequence[str]) -> Edit:
    """Positions instead of shorter texts: a mark may stand there a million times."""

    def edit(text: str) -> str:
        start = at = _skip_blanks(text, 0)
        while mark := next((mark for mark in marks if text.startswith(mark, at)), ""):
            at = _skip_blanks(text, at + len(mark))
        return text if at == start else text[at:]

    return edit


def _without_suffix(marks: Sequence[str]) -> Edit:
    def edit(text: str) -> str:
        end = at = _skip_blanks_back(text, len(text))
        while mark := next((mark for mark in marks if text.endswith(mark, 0, at)), ""):
            at = _skip_blanks_back(text, at - len(mark))
        return text if at == end else text[:at]

    return edit


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _skip_blanks_back(text: str, end: int) -> int:
    while end and text[end - 1].isspace():
        end -= 1
    return end


def _replacing(rule: CleaningRule) -> Edit:
    """`re` cannot be stopped inside a pattern like `(a+)+b`; the module `regex` can."""
    import regex

    where = f"clean: {label(rule)}"
    try:
        pattern = regex.compile(rule.replace)
        regex.compile(f"{rule.replace}|").sub(rule.by, "")  # the groups that `with` names exist
    except (regex.error, IndexError) as e:
        raise fault(f"not a regular expression: {e}", where) from e
    except (RecursionError, OverflowError, MemoryError) as e:
        raise fault("a regular expression that is too large", where) from e
    slow = "the pattern of a replace rule takes too long: no repeats inside repeats"
    wasted = 0.0

    def edit(text: str) -> str:
        nonlocal wasted
        if wasted >= _PATIENCE:
            raise TooSlow(slow)
        begin = time.monotonic()
        try:
            return str(pattern.sub(rule.by, text, timeout=_TIMEOUT))
        except TimeoutError:
            wasted += time.monotonic() - begin
            raise TooSlow(slow) from None

    return edit
