"""JSON as people have it: what is wrong with a record is said, and no number is too big to be read."""

import json
from typing import Any

from pydantic_core import from_json

from workbench.data.example import Row
from workbench.data.files.rows import NOT_UTF8, RowError

NOT_AN_OBJECT = "not an object"
"""The reason of rows that are JSON but name no columns."""
_MOST_DIGITS = 4000  # Python refuses to turn more than 4300 digits into an int
_MOST_LEVELS = 64  # a deeper value is read by the parser, but ends whoever walks it, such as json.dumps


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


_DECODER = json.JSONDecoder()
DECODER = json.JSONDecoder(parse_int=_integer)
"""Reads a whole number of more than 4000 digits as text; `decoded` is faster."""


def decoded(text: str) -> Any:
    """The value of a JSON text, NaN and Infinity read as Python writes them; a whole number of more than 4000
    digits stays text. Raises JSONDecodeError, and RecursionError for a text that is nested too deeply."""
    try:
        if text.startswith("{"):
            value, end = _DECODER.raw_decode(text)
            if end == len(text):  # spares the search for white space at both ends, a third of the time
                return value
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # too many digits
        return DECODER.decode(text)


def parse_object(line: bytes) -> Row:
    """One record from its JSON text. Raises RowError."""
    value = _quickly(line) if line.isascii() else None
    if value is None:
        value = _parsed(line)
    # Counting brackets costs a tenth of walking the value, and is enough for nearly every row
    if isinstance(value, dict) and line.count(b"{") + line.count(b"[") <= _MOST_LEVELS:
        return value
    return as_object(value)


def _quickly(line: bytes) -> Any:
    """The value by a parser that is three times as fast, for ASCII alone; None for what it refuses, since
    `_parsed` takes some of that, and says what is wrong with the rest."""
    try:
        return from_json(line)
    except ValueError:
        return None


def _parsed(line: bytes) -> Any:
    try:
        return decoded(line.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise RowError(NOT_UTF8, f"byte {e.start + 1} of the line") from e
    except json.JSONDecodeError as e:
        raise RowError("broken JSON", f"{e.msg}, column {e.colno}") from e
    except RecursionError as e:
        raise RowError("nested too deeply", f"more than {_MOST_LEVELS} levels") from e


def as_object(value: Any) -> Row:
    """`value` when it is a record. Raises RowError."""
    if not isinstance(value, dict):
        raise RowError(NOT_AN_OBJECT, f"the row is {kind_of(value)}")
    if _levels(value) > _MOST_LEVELS:
        raise RowError("nested too deeply", f"more than {_MOST_LEVELS} levels")
    return value


def _levels(value: Row) -> int:
    """Lists and objects inside each other, counted as far as the limit needs it."""
    level: list[Any] = [value]
    for depth in range(_MOST_LEVELS + 1):
        inner = (item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer))
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return depth + 1
    return _MOST_LEVELS + 1


def kind_of(value: Any) -> str:
    """The JSON name of a value's kind, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"of kind {type(value).__name__}"
