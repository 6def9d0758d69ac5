"""The first rows of a file as detection looks at them: which columns there are and what they mostly hold."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workbench.data.example import Rejected, Row
from workbench.data.mapping.cells import MAY_LACK

_ID_NAMES = frozenset({"id", "_id", "uid", "uuid", "idx", "index", "guid", "hash", "source", "url", "lang"})
_NUMBER = re.compile(r"[+-]?\d[\s\d.eE+-]*")
_MARK = frozenset("#-=>*~|<\n\t ")
_LONGEST_NAME = 60
_MOST_WORDS = 6
_FULL_STOPS = ("。", "！", "？")
_WORD_MARKS = (" END", "<|endoftext|>", "</s>", "<|im_end|>", "<|end|>")
"""Stop marks that are words, of OpenAI's guide and of templates that were written into the data."""


@dataclass(frozen=True)
class Sample:
    """Some of the first rows that can be read.

    Attributes:
        rows: row number and row.
        broken: those between them that cannot be read.
    """

    rows: list[tuple[int, Row]]
    broken: list[Rejected] = field(default_factory=list)

    @cached_property
    def columns(self) -> list[str]:
        """Columns in the order in which they first appear, those that no placeholder can name left out."""
        names = dict.fromkeys(str(name) for _, row in self.rows for name in row)
        return [name for name in names if not set(name) & set("{}")]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Columns that mostly hold text or numbers: name in lower case to name. An empty column is one."""
        return {name.strip().lower(): name for name in reversed(self.columns) if self._is_text(name)}

    def values(self, column: str) -> list[Any]:
        """The column's values but for null and for texts without a word."""
        found = [row.get(column) for _, row in self.rows]
        return [
            value for value in found if not (value is None or (isinstance(value, str) and not value.strip()))
        ]

    def strings(self, column: str) -> list[str]:
        """The column's texts that have a word."""
        return [value for value in self.values(column) if isinstance(value, str)]

    def lists(self, column: str) -> list[list[Any]]:
        """The column's lists."""
        return [value for value in self.values(column) if isinstance(value, list)]

    def as_read(self, columns: list[str]) -> list[str]:
        """Names that read columns of one message: marked where rows lack them, but not when they lack all."""
        lacking = {name for name in columns if not all(name in row for _, row in self.rows)}
        if len(lacking) == len(columns):
            return columns
        return [name + MAY_LACK if name in lacking else name for name in columns]

    def prose(self) -> list[str]:
        """Columns of texts that are no names, numbers or addresses of a row."""
        return [
            name
            for name in self.texts.values()
            if not _is_id(name) and mostly(self.strings(name), self.values(name))
        ]

    def is_numeric(self) -> bool:
        """Whether there are hardly any words: most cells are numbers, or several numbers as one text."""
        cells = [value for name in self.columns for value in self.values(name)]
        return bool(cells) and mostly([each for each in cells if _is_number(each)], cells)

    def unused(self, table: Mapping[str, Any]) -> list[str]:
        """Columns that a source does not name, those left out that only name or number a row."""
        named = json.dumps(table, ensure_ascii=False)
        used = {table.get("column"), table.get("group"), *table.get("labels", ())}
        return [
            name
            for name in self.columns
            if not _is_id(name)
            and name not in used
            and not re.search(r"\{" + re.escape(name) + r"[.?}]", named)
        ]

    def is_headless(self) -> bool:
        """Whether the names are those of a first row: texts or numbers, and not the numbers from 0 on that
        pandas writes."""
        names = [name.strip() for name in self.columns]
        if names == [str(n) for n in range(len(names))] or not any(names):
            return False
        return any(_is_number(name) or _is_prose(name) for name in names)

    def _is_text(self, column: str) -> bool:
        values = self.values(column)
        return mostly([each for each in values if isinstance(each, str | int | float)], values)


def _is_id(column: str) -> bool:
    name = column.strip().lower()
    return name in _ID_NAMES or name.endswith("_id") or name.startswith(("__", "unnamed:"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value)))


def _is_prose(name: str) -> bool:
    """Whether a column's name is a text: long, of many words, or with the end of a sentence."""
    words = len(name.split())
    ends = name.endswith(_FULL_STOPS) or (words > 2 and name.endswith((".", "!")))
    return ends or words > _MOST_WORDS or len(name) > _LONGEST_NAME


def mostly(some: list[Any], of: list[Any]) -> bool:
    """Whether `some` are at least half of the values: one odd row does not hide the shape of a file."""
    return 2 * len(some) >= len(of)


def common_mark(texts: list[str]) -> str:
    """What every text ends with when that is a mark and no word of the text, such as `\\n\\n###\\n\\n`."""
    if len(texts) < 2:
        return next((mark for mark in _WORD_MARKS for text in texts if text.endswith(mark)), "")
    for mark in _WORD_MARKS:
        if all(text.endswith(mark) for text in texts):
            return mark
    shortest = min(texts, key=len)
    size = 0
    while size < len(shortest) and shortest[-size - 1] in _MARK:
        if any(text[-size - 1] != shortest[-size - 1] for text in texts):
            break
        size += 1
    mark = shortest[len(shortest) - size :]
    return mark if len(mark.strip()) > 1 else ""


def first(names: Iterable[str], present: Iterable[str]) -> str:
    """The first of `names` that is present; empty when none is."""
    present = set(present)
    return next((name for name in names if name in present), "")


def braced(*names: str) -> list[str]:
    """Columns as placeholders."""
    return ["{" + name + "}" for name in names]


@dataclass(frozen=True)
class Shape:
    """A shape that fits: the keys of a `[[data.source]]` less its path, and what they were told from."""

    table: Mapping[str, Any]
    why: str
