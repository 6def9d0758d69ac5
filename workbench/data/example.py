"""The two things a row of a file can become: an example, or a rejection that says why."""

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Row = dict[str, Any]
"""One record of a file: column name to value."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an example came from: the index of its `[[data.source]]` and the row's number in it, from 0."""

    source: int
    row: int


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation that can be trained on: it has an answer, no message is empty, roles are in order."""

    messages: tuple[Message, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not trained on. `reason` is short and the same for all rows of its sort, so that it can
    be counted; `detail` names what this row holds."""

    origin: Origin
    reason: str
    detail: str = ""
