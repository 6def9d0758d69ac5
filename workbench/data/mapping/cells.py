"""Cells of a row as text, and templates that name them: `{column}`, `{answers.0.text}` inside of one, or
`{input?}` for one that rows may lack.

A closed vocabulary: no attribute of a value is reached, no code runs. Templates are read once for each
source, since they are filled for every row.
"""

import datetime
import decimal
import difflib
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from workbench.data.example import Row
from workbench.data.files.json_text import kind_of
from workbench.data.files.rows import RowError
from workbench.project.placeholders import PLACEHOLDER

_LONGEST = 80
MAY_LACK = "?"
"""Ends the name of a column that rows may lack."""

Reader = Callable[[Row], Any]
"""Takes one cell out of a row. Raises MissingColumn when the row has none."""


class MissingColumn(RowError):
    """A row without a column that its source names."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f'no column "{name}"', detail)


def reader(name: str) -> Reader:
    """Reads the column `name`; where no column has that name, its dots lead into objects and lists."""
    parts = name.split(".")

    def read(row: Row) -> Any:
        try:
            return row[name]
        except KeyError:
            return _inside(row, name, parts)

    return read


def text_of(value: Any, name: str) -> str:
    """Text of a cell: null and NaN, pandas' missing value, are empty; true and false are spelt as in JSON.

    Raises RowError for a list, an object or bytes.
    """
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


def text_reader(name: str) -> Callable[[Row], str]:
    """Reads the column `name` as text; with a `?` behind it, a row without the column has an empty one."""
    read = reader(name)
    if name.endswith(MAY_LACK):
        return _lenient(name, read, reader(name.removesuffix(MAY_LACK)))

    def read_text(row: Row) -> str:
        value = row[name] if name in row else read(row)
        return value if type(value) is str else text_of(value, name)

    return read_text


def _lenient(name: str, exactly: Reader, read: Reader) -> Callable[[Row], str]:
    """Columns that a row may lack; one whose own name ends in the mark is found first."""

    def read_text(row: Row) -> str:
        try:
            return text_of(exactly(row) if name in row else read(row), name)
        except MissingColumn:
            return ""

    return read_text


def hint(name: str, present: Row) -> str:
    """`; did you mean "output"?`, or nothing when no key looks like `name`."""
    near = _nearest(name, tuple(str(key)[:_LONGEST] for key in list(present)[:100]))
    return f'; did you mean "{near}"?' if near else ""


def shown(value: Any) -> str:
    """A foreign value in a detail, cut short."""
    return repr(str(value)[:_LONGEST])


def encodable(text: str, where: str) -> None:
    """Raises RowError for half a surrogate pair, which a broken JSON escape leaves: no tokenizer takes it."""
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise RowError("broken Unicode", f"half a surrogate pair in {where}, character {e.start + 1}") from e


class Template:
    """A text with columns in braces; `{{` and `}}` are plain braces, braces in values stay as they are."""

    __slots__ = ("_is_column", "_literals", "_readers", "names")

    def __init__(self, text: str) -> None:
        literals, names, end = [""], [], 0
        for found in PLACEHOLDER.finditer(text):
            literals[-1] += text[end : found.start()]
            if found[1]:
                names.append(found[1])
                literals.append("")
            else:
                literals[-1] += found[0][0]
            end = found.end()
        literals[-1] += text[end:]
        self.names: tuple[str, ...] = tuple(names)
        self._literals = literals
        self._readers = [text_reader(name) for name in names]
        self._is_column = literals == ["", ""]

    def fill(self, row: Row) -> str:
        """The text for one row. Raises RowError for a column that is missing or is no text."""
        return self._joined([read(row) for read in self._readers])

    def fill_part(self, row: Row) -> str:
        """As `fill`, but empty when it names columns and all of them are empty; no outer white space."""
        if self._is_column:
            return self._readers[0](row).strip()
        values = [read(row) for read in self._readers]
        if values and not any(value.strip() for value in values):
            return ""
        return self._joined(values).strip()

    def _joined(self, values: list[str]) -> str:
        literals = self._literals
        if len(values) == 1:
            return literals[0] + values[0] + literals[1]
        pieces = [literals[0]]
        for value, literal in zip(values, literals[1:], strict=True):
            pieces += (value, literal)
        return "".join(pieces)


def _inside(row: Row, name: str, parts: list[str]) -> Any:
    """The value that `parts` lead to from a column on."""
    if parts[0] not in row or len(parts) == 1:
        raise MissingColumn(name, hint(parts[0], row).removeprefix("; "))
    node: Any = row[parts[0]]
    for n, part in enumerate(parts[1:], 1):
        try:
            node = node[int(part)] if isinstance(node, list) and part.isdecimal() else node[part]
        except (KeyError, IndexError, TypeError, ValueError):
            above = ".".join(parts[:n])
            what = f"has {len(node)} elements" if isinstance(node, list) else f"is {kind_of(node)} without it"
            raise MissingColumn(name, f'"{above}" {what}') from None
    return node


@lru_cache(256)
def _nearest(name: str, names: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")
