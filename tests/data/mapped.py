"""What rows become by a source, in a form that is short to compare."""

from typing import Any

from pydantic import TypeAdapter

from workbench.data.example import Example, Origin, Rejected
from workbench.data.mapping.mapper import Mapper
from workbench.project.source import Source

HERE = Origin(2, 7)
_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def source(kind: str, **settings: Any) -> Source:
    """A source of one kind."""
    return _SOURCE.validate_python({"kind": kind, "path": "x.jsonl", **settings})


def mapped(kind: str, row: dict[str, Any], **settings: Any) -> Example | Rejected:
    """What a row becomes."""
    made = Mapper(source(kind, **settings)).map(row, HERE)
    assert made.origin == HERE
    return made


def example(kind: str, row: dict[str, Any], **settings: Any) -> Example:
    """What a row becomes, which is an example."""
    made = mapped(kind, row, **settings)
    assert isinstance(made, Example), made
    return made


def said(kind: str, row: dict[str, Any], **settings: Any) -> list[tuple[str, str]] | str:
    """The messages, or reason and detail."""
    made = mapped(kind, row, **settings)
    if isinstance(made, Rejected):
        return f"{made.reason}: {made.detail}"
    return [(message.role, message.content) for message in made.messages]
