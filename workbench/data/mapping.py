"""A row becomes an example by the mapping of its source, or a rejection that says why."""

import datetime
import decimal
import difflib
import math
import re
from functools import lru_cache
from typing import Any

from workbench.data.example import Example, Message, Origin, Rejected, Role, Row
from workbench.data.json_text import kind_of
from workbench.data.rows import RowError
from workbench.project.source import FieldsSource, MessagesSource, Source

ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
"""Speaker names that need no `roles` entry: OpenAI's and ShareGPT's."""

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_DETAIL = 80


def map_row(source: Source, row: Row, origin: Origin) -> Example | Rejected:
    """The conversation that `source` makes of `row`."""
    try:
        match source:
            case FieldsSource():
                messages = _from_fields(source, row)
            case MessagesSource():
                messages = _from_turns(source, row)
        _check(messages)
    except RowError as e:
        return Rejected(origin, e.reason, e.detail)
    return Example(tuple(messages), origin)


def _from_fields(source: FieldsSource, row: Row) -> list[Message]:
    """Outer white space is taken off: files made for older APIs carry it as a mark of beginning and end."""
    system = _fill(source.system, row).strip()
    parts = [_fill(part, row).strip() for part in source.user if not _all_empty(part, row)]
    user = _cut("\n\n".join(filter(None, parts)), source.strip_user)
    answer = _cut(_fill(source.assistant, row).strip(), source.strip_assistant)
    head = [Message("system", system)] if system else []
    return [*head, Message("user", user), Message("assistant", answer)]


def _from_turns(source: MessagesSource, row: Row) -> list[Message]:
    turns = _cell(row, source.column)
    if not isinstance(turns, list):
        raise RowError(f'"{source.column}" is not a list of turns', f"it is {kind_of(turns)}")
    messages = []
    for n, turn in enumerate(turns, 1):
        if not isinstance(turn, dict):
            raise RowError("a turn is not an object", f"turn {n} is {kind_of(turn)}")
        for key in (source.role, source.content):
            if key not in turn:
                raise RowError(f'a turn has no "{key}"', f"turn {n}{_hint(key, turn)}")
        role = _role(source, turn[source.role], n)
        messages.append(Message(role, _text(turn[source.content], source.content)))
    return messages


def _role(source: MessagesSource, speaker: Any, n: int) -> Role:
    if isinstance(speaker, str):
        for name in (speaker, speaker.strip().lower()):
            if role := source.roles.get(name) or ROLES.get(name):
                return role
    raise RowError("unknown role", f"turn {n}: {str(speaker)[:_DETAIL]!r}")


def _check(messages: list[Message]) -> None:
    """A system message may come first, then user and assistant in turn; the assistant has the last word."""
    for n, message in enumerate(messages, 1):
        if not message.content.strip():
            raise RowError(f"empty {message.role} message", f"turn {n}")
        try:
            message.content.encode("utf-8")
        except UnicodeEncodeError as e:
            detail = f"half a surrogate pair in turn {n}, character {e.start + 1}"
            raise RowError("broken Unicode", detail) from e
    roles = [message.role for message in messages]
    if "assistant" not in roles:
        raise RowError("no assistant message")
    body = roles[1:] if roles[0] == "system" else roles
    for n, role in enumerate(body):
        if role != ("user", "assistant")[n % 2]:
            before = f"after {body[n - 1]}" if n else "first"
            raise RowError("roles out of order", f"turn {n + 1 + len(roles) - len(body)} is {role}, {before}")
    if body[-1] != "assistant":
        raise RowError("ends without an answer")


@lru_cache(1024)
def _columns_of(template: str) -> tuple[str, ...]:
    return tuple(name for name in _PLACEHOLDER.findall(template) if name)


def _fill(template: str, row: Row) -> str:
    """`{column}` becomes the row's text, `{{` and `}}` plain braces; braces in values stay as they are."""
    values = {name: _text(_cell(row, name), name) for name in _columns_of(template)}
    return _PLACEHOLDER.sub(lambda found: values[found[1]] if found[1] else found[0][0], template)


def _all_empty(part: str, row: Row) -> bool:
    names = _columns_of(part)
    return bool(names) and not any(_text(_cell(row, name), name).strip() for name in names)


def _cell(row: Row, name: str) -> Any:
    if name not in row:
        raise RowError(f'no column "{name}"', _hint(name, row).removeprefix("; "))
    return row[name]


def _hint(name: str, row: Row) -> str:
    near = _nearest(name, tuple(list(row)[:100]))
    return f'; did you mean "{near}"?' if near else ""


@lru_cache(256)
def _nearest(name: str, names: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(name, [str(n)[:_DETAIL] for n in names], n=1)), "")


def _text(value: Any, name: str) -> str:
    """Text of a cell: null and NaN, pandas' missing value, are empty; true and false are spelt as in JSON."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return ""
        case int() | float() | decimal.Decimal() | datetime.date() | datetime.time():
            return str(value)
        case _:
            raise RowError(f'"{name}" is not text', f"it is {kind_of(value)}")


def _cut(text: str, endings: list[str]) -> str:
    """`text` without each of the endings that it has, compared without the white space around them."""
    for ending in endings:
        if mark := ending.strip():
            text = text.removesuffix(mark).rstrip()
    return text
