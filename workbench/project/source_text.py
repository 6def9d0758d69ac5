"""A `[[data.source]]` as it is written: one key a line, tables inline."""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import InlineTable, Table

from workbench.project.positions import KeyPath

SOURCES = ("data", "source")
"""Where the file's own list of sources stands."""


def source_toml(table: Mapping[str, Any], path: KeyPath = SOURCES) -> str:
    """`[[data.source]]`, or that of a profile, and its keys."""
    return f"[[{tomlkit.key(map(str, path)).as_string()}]]\n" + tomlkit.dumps(source_item(table))


def source_item(table: Mapping[str, Any]) -> Table:
    """The table for tomlkit; what is nested in it is inline, since a header below would leave the source."""
    item = tomlkit.table()
    for key, value in table.items():
        item.add(key, _inline(value))
    return item


def source_inline(table: Mapping[str, Any]) -> InlineTable:
    """The table as an element of an array in brackets."""
    item = tomlkit.inline_table()
    for key, value in table.items():
        item.add(key, _inline(value))
    return item


def _inline(value: Any) -> Any:
    if isinstance(value, Mapping):
        return source_inline(value)
    if isinstance(value, list):
        array = tomlkit.array()
        for each in value:
            array.append(_inline(each))
        return array
    return value
