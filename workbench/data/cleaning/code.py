"""Code inside prose: what cleaning rules must leave alone."""

import re
from collections.abc import Callable

_FENCE = r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*(?:\n(?:.*\n)*?[ \t]*(?P=fence)[`~]*[ \t]*$|(?:\n.*)*\Z)"
_FENCES = re.compile(_FENCE, re.M)
_CODE = re.compile(_FENCE + r"|(?<!`)(?P<ticks>`{1,2})(?!`)[^`\n]+(?P=ticks)(?!`)", re.M)


def outside_fences(edit: Callable[[str], str], text: str) -> str:
    """`text` with `edit` done outside fenced blocks; a fence that is never closed goes to the end."""
    if "```" not in text and "~~~" not in text:
        return edit(text)
    return outside(_FENCES, edit, text)


def outside_code(edit: Callable[[str], str], text: str) -> str:
    """As `outside_fences`, and `code` between back ticks stays as well."""
    if "`" not in text and "~~~" not in text:
        return edit(text)
    return outside(_CODE, edit, text)


def outside(kept: re.Pattern[str], edit: Callable[[str], str], text: str) -> str:
    """`text` with `edit` done to what lies between the matches of `kept`."""
    parts, end = [], 0
    for found in kept.finditer(text):
        parts += [edit(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, edit(text[end:])])
