"""Changing the text of a project.toml and nothing else in it: comments, order and spelling stay.

tomlkit does the change; the result is then read back with tomllib and must say exactly what was asked for.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from workbench.errors import WorkbenchError, fault
from workbench.project.complaints import key_text
from workbench.project.layers import Tree, with_value
from workbench.project.positions import KeyPath, comments, positions
from workbench.project.source_text import SOURCES, source_inline, source_item, source_toml


def with_setting(text: str, path: KeyPath, value: Any) -> str:
    """`text` with the value at `path` set, or with the key taken out when `value` is None.

    Comments on the lines of a value that goes stay, above the place where it stood.

    Raises:
        WorkbenchError: the path leads through something that is no table.
    """
    tree = tomllib.loads(text)
    wanted = with_value(tree, path, value)
    if wanted == tree and _same_types(wanted, tree):
        return text
    try:
        changed = _set(text, path, value)
    except (TOMLKitError, TypeError, AttributeError, KeyError, IndexError, ValueError) as e:
        raise _by_hand(path) from e
    line = positions(text if value is None else changed).get(path, 0)
    for candidate in (_with_lost_comments(text, changed, line), changed):
        if _says(candidate, wanted):
            return candidate
    raise _by_hand(path)


def with_source(text: str, table: Mapping[str, Any], path: KeyPath = SOURCES) -> str:
    """`text` with one more `[[data.source]]`, behind the others of that list: the file's own, or a profile's.

    Raises:
        WorkbenchError: the file writes its sources in a way that cannot be added to.
    """
    tree = tomllib.loads(text)
    wanted = with_value(tree, path, [*sources_at(tree, path), dict(table)])
    at_end = f"{text.rstrip()}\n\n{source_toml(table, path)}"
    for candidate in (_among_sources(text, table, path), at_end):
        if _says(changed := _line_ends(text, candidate), wanted):
            return changed
    raise _by_hand(path)


def sources_at(tree: Tree, path: KeyPath) -> list[Any]:
    """The tables of a list of sources; none where there is no such list."""
    node: Any = tree
    for part in path:
        node = node.get(part, {})
    return list(node)


def _among_sources(text: str, table: Mapping[str, Any], path: KeyPath) -> str:
    """`text` with the table behind the last source; as it was where tomlkit cannot tell where that is."""
    try:
        document = _document(text)
        data: Any = document
        for part in path[:-1]:
            if part not in data:
                data[part] = tomlkit.table(is_super_table=True)
            data = data[part]
        if "source" not in data:
            data["source"] = tomlkit.aot()
        if isinstance(data["source"], tomlkit.items.Array):
            data["source"].append(source_inline(table))
        else:
            data["source"].append(source_item(table).add(tomlkit.nl()))
    except (TOMLKitError, TypeError, AttributeError, KeyError, ValueError):
        return text
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _document(text: str) -> tomlkit.TOMLDocument:
    """The text for tomlkit, which needs a last line that has an end."""
    return tomlkit.parse(text if text.endswith("\n") else text + "\n")


def _set(text: str, path: KeyPath, value: Any) -> str:
    document = _document(text)
    node: Any = document
    *above, last = path
    for part in above:
        if isinstance(part, str) and part not in node:
            node[part] = tomlkit.table()
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return _line_ends(text, tomlkit.dumps(document))


def _line_ends(text: str, changed: str) -> str:
    """`changed` with the line ends of `text` throughout."""
    plain = changed.replace("\r\n", "\n")
    return plain.replace("\n", "\r\n") if "\r\n" in text else plain


def _with_lost_comments(text: str, changed: str, line: int) -> str:
    """`changed` with the comments it lacks against `text` put above `line`."""
    lost = Counter(comments(text)) - Counter(comments(changed))
    if not lost or not line:
        return changed
    lines = changed.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    lines[line - 1 : line - 1] = [comment + end for comment in lost.elements()]
    return "".join(lines)


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        tree = tomllib.loads(text)
    except ValueError:
        return False
    tree, wanted = _without_empty(tree), _without_empty(wanted)
    return tree == wanted and _same_types(tree, wanted)


def _without_empty(tree: dict[str, Any]) -> dict[str, Any]:
    """A tree less its empty tables: one that is only implied by dotted keys goes with the last of them."""
    inner = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _same_types(one: Any, other: Any) -> bool:
    """Whether equal trees are alike in types too: Python holds 1, 1.0 and true for equal, TOML does not."""
    if isinstance(one, dict):
        return all(_same_types(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(_same_types, one, other))
    return type(one) is type(other)


def _by_hand(path: KeyPath) -> WorkbenchError:
    return fault(
        f"{key_text(path)} cannot be changed here without losing something", "project.toml", "edit it by hand"
    )
