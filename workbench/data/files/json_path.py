"""Rows that lie inside of lists and objects, such as SQuAD's `data.paragraphs.qas`."""

import difflib
from pathlib import Path
from typing import Any

from workbench.data.example import Row
from workbench.data.files.json_text import kind_of
from workbench.errors import fault

_MOST_KEYS = 10
_LONGEST_KEY = 40


def nested_values(value: Any, keys: str, path: Path) -> list[tuple[Any, Row]]:
    """What `keys`, joined by dots, lead to; lists on the way and at the end are gone through.

    Returns:
        each value with the numbers, texts, booleans and nulls of the objects around it, inner ones over outer
        ones. Objects without the key have no such values; a value that is no object is left to the reader.

    Raises:
        WorkbenchError: no object has the key; those that are there are named.
    """
    level: list[tuple[Any, Row]] = _flat([(value, {})])
    walked: list[str] = []
    for key in keys.split("."):
        found: list[tuple[Any, Row]] = []
        present = False
        for node, inherited in level:
            if isinstance(node, dict) and key in node:
                present = True
                if node[key] is not None:
                    found.append((node[key], {**inherited, **_plain(node)}))
        if not present:
            raise _no_such_key(level, walked, key, keys, path)
        walked.append(key)
        level = _flat(found)
    return level


def _flat(level: list[tuple[Any, Row]]) -> list[tuple[Any, Row]]:
    """Elements in place of lists, lists in lists included."""
    while any(isinstance(node, list) for node, _ in level):
        level = [
            (inner, inherited)
            for node, inherited in level
            for inner in (node if isinstance(node, list) else (node,))
        ]
    return level


def _plain(node: Row) -> Row:
    return {key: value for key, value in node.items() if not isinstance(value, list | dict)}


def _no_such_key(
    level: list[tuple[Any, Row]], walked: list[str], key: str, keys: str, path: Path
) -> Exception:
    """The error for a key that no object has."""
    objects = [node for node, _ in level if isinstance(node, dict)]
    names = list(dict.fromkeys(str(name) for node in objects[:1000] for name in node))
    where = f'"{".".join(walked)}"' if walked else "the top"
    what = f'rows = "{keys}" leads to nothing: no "{key}" in {where}'
    if not objects:
        kinds = ", ".join(dict.fromkeys(kind_of(node) for node, _ in level)) or "nothing"
        return fault(f"{what}, which holds {kinds}", path)
    near = difflib.get_close_matches(key, names, n=1)
    shown = ", ".join(name[:_LONGEST_KEY] for name in names[:_MOST_KEYS]) or "none"
    hint = f'did you mean "{near[0][:_LONGEST_KEY]}"? ' if near else ""
    return fault(what, path, f"{hint}keys there: {shown}")
