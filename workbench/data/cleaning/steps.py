"""One rule of `clean`, ready to be carried out on examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.data.cleaning import characters, wiki
from workbench.data.cleaning.html import html
from workbench.data.cleaning.labels import label
from workbench.data.example import Example, Message, Rejected, Role
from workbench.data.files.rows import RowError
from workbench.data.mapping.searching import Replace
from workbench.errors import fault
from workbench.project.patterns import fault_of
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
    """The code of a rule. Raises WorkbenchError for a pattern that is no regular expression."""
    name = label(cleaning)
    if isinstance(cleaning, str):
        edit = _EDITS.get(cleaning)
        return Rule(name, False, _editing(edit, None) if edit else _without_redirects)
    role = None if cleaning.on == "all" else cleaning.on
    if cleaning.prefix:
        return Rule(name, False, _editing(_without_prefix(_marks(cleaning.prefix)), role))
    if cleaning.suffix:
        return Rule(name, False, _editing(_without_suffix(_marks(cleaning.suffix)), role))
    if cleaning.replace:
        if what := fault_of(cleaning.replace, cleaning.by):
            raise fault(what, f"clean: {name}")
        return Rule(name, True, _editing(Replace(cleaning.replace, cleaning.by), role))
    return Rule(name, False, _limited(cleaning, role))


def _editing(edit: Edit, role: Role | None) -> Callable[[Example], Example | Rejected]:
    def apply(example: Example) -> Example | Rejected:
        changed: dict[int, Message] = {}
        for i, message in enumerate(example.messages):
            if role is not None and message.role != role:
                continue
            try:
                text = edit(message.content)
            except RowError as e:
                return Rejected(example.origin, e.reason, e.detail)
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


def _marks(marks: Sequence[str]) -> list[str]:
    return [mark for mark in map(str.strip, marks) if mark]


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
