"""A text before and after a change: what went and what came stands in brackets beside its colour."""

from difflib import SequenceMatcher
from unicodedata import category

from rich.style import Style
from rich.text import Text

from workbench.data.example import Example, Rejected
from workbench.ui.panes.data.row_text import shortened, why_left_out
from workbench.ui.text import clean, clean_lines
from workbench.ui.widgets.token_flow import exact_character

CONTEXT = 100
"""Characters that stay beside a change; what is unchanged in between is cut."""
COMPARED = 3000
"""Longer changes are shown whole: comparing character by character takes time in the square of the length."""


def step_text(before: Example, after: Example | Rejected, went: Style, came: Style) -> Text:
    """What one rule did to a row: the messages it changed, or why it left the row out."""
    text = Text()
    if isinstance(after, Rejected):
        text.append_text(why_left_out(after))
        for message in before.messages:
            text.append(f"{message.role}\n", "bold").append(f"{shortened(message.content)}\n\n")
        return text
    for old, new in zip(before.messages, after.messages, strict=True):
        if old.content != new.content:
            lost, won = changes(old.content, new.content, went, came)
            text.append(f"{old.role}\n", "bold")
            for sign, side in (("− before", lost), ("+ after", won)):
                text.append(f"{sign}\n", "bold").append_text(side).append("\n")
            text.append("\n")
    return text


def changes(before: str, after: str, went: Style, came: Style) -> tuple[Text, Text]:
    """Both texts; what went is in ⟦brackets⟧ in the first, what came in the second."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(old), len(new)) > COMPARED:
        steps = [("replace", 0, len(old), 0, len(new))]
    else:
        steps = list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    lost, won = Text(), Text()
    for text in (lost, won):
        text.append(_beside(before[:start], first=True))
    for kind, a, b, c, d in steps:
        if kind == "equal":
            for text in (lost, won):
                text.append(_beside(old[a:b]))
            continue
        if b > a:
            lost.append(f"⟦{_changed(old[a:b][:COMPARED])}⟧", went)
        if d > c:
            won.append(f"⟦{_changed(new[c:d][:COMPARED])}⟧", came)
    for text in (lost, won):
        text.append(_beside(before[len(before) - end :], last=True))
    return lost, won


def _changed(text: str) -> str:
    """In one line; private-use characters as escapes: most fonts have nothing, or anything, for them."""
    return "".join(exact_character(c) if category(c) == "Co" else c for c in clean(text))


def _beside(text: str, *, first: bool = False, last: bool = False) -> str:
    """Unchanged text: only what stands near the changes."""
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    if len(text) <= head + tail:
        return clean_lines(text)
    return clean_lines(text[:head]) + " … " + clean_lines(text[len(text) - tail :])
