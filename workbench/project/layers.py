"""Tables laid over tables: profiles, overrides and a form's changes. Nothing is changed in place."""

from typing import Any

from workbench.errors import fault
from workbench.project.positions import KeyPath

Tree = dict[str, Any]


def merged(base: Tree, over: Tree) -> Tree:
    """`base` with `over` laid on it: tables key by key, anything else (lists too) whole."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def key_path(key: str) -> KeyPath:
    """`data.source.0.path` as a path; whole numbers count elements."""
    return tuple(int(part) if part.isdecimal() else part for part in key.split("."))


def with_value(tree: Tree, path: KeyPath, value: Any) -> Tree:
    """`tree` with one value set, or with the key taken out when `value` is None.

    Raises:
        WorkbenchError: the path leads through a value that has no keys, or to an element that is not there.
    """
    return _with_value(tree, path, value, ())  # type: ignore[no-any-return]


def provides(tree: Tree, path: KeyPath) -> bool:
    """Whether what stands at `path`, or is missing there, is the doing of this layer.

    A list in a layer replaces the one below, so what an element lacks is the layer's doing too.
    """
    node: Any = tree
    in_list = False
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node, in_list = node[part], True
        else:
            return in_list
    return True


def _with_value(node: Any, path: KeyPath, value: Any, behind: KeyPath) -> Any:
    if not path:
        return value
    part, rest = path[0], path[1:]
    here = (*behind, part)
    if node is None:
        node = [] if isinstance(part, int) else {}
    if isinstance(node, list) and isinstance(part, int):
        if part >= len(node):
            raise fault(f"{'.'.join(map(str, behind))} has {len(node)} elements, counted from 0")
        return [*node[:part], _with_value(node[part], rest, value, here), *node[part + 1 :]]
    if not isinstance(node, dict):
        raise fault(f"{'.'.join(map(str, behind))} is no table")
    part = str(part)
    if value is None and part not in node:
        return node
    if rest:
        return node | {part: _with_value(node.get(part), rest, value, here)}
    if value is None:
        return {key: kept for key, kept in node.items() if key != part}
    return node | {part: value}
