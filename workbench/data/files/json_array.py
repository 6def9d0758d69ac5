"""A .json file: a list of records; lists inside of objects, for which it is read whole; or, as some tools
write it, one record a line."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from workbench.data.example import Row
from workbench.data.files.json_elements import ElementRows
from workbench.data.files.json_path import nested_values
from workbench.data.files.json_text import as_object, decoded, kind_of, parse_object
from workbench.data.files.jsonl import JsonlRows
from workbench.data.files.rows import RowError, Rows
from workbench.errors import fault


class NestedRows(Rows):
    """Objects from inside a JSON file, each with the plain values of the objects around it."""

    def __init__(self, path: Path, values: list[tuple[Any, Row]]) -> None:
        self.path = path
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, i: int) -> Row:
        if i < 0:
            raise IndexError(i)
        value, inherited = self._values[i]
        return {**inherited, **as_object(value)}


def open_json(path: Path, nested: str = "") -> Rows:
    """Rows of a .json file, `nested` being the keys that lead to them. Raises WorkbenchError with line and
    column, and OSError."""
    if not nested and _begins(path) == b"[":
        return ElementRows(path)
    if not nested and _one_record_a_line(path):
        return JsonlRows(path)
    value = _value(path)
    if nested:
        return NestedRows(path, nested_values(value, nested, path))
    what, hint = f"holds {kind_of(value)}, not a list of rows", "put the rows in one list, [ {…}, {…} ]"
    if isinstance(value, dict):
        lists = [str(name)[:40] for name, inner in value.items() if isinstance(inner, list)]
        of_objects = [name for name in lists if any(isinstance(row, dict) for row in value.get(name, ()))]
        what += f" (lists inside it: {', '.join(lists[:5])})" if lists else ""
        if len(of_objects) == 1:
            hint = f'name that list in the source: rows = "{of_objects[0]}"'
    raise fault(what, path, hint)


def _value(path: Path) -> Any:
    """All that the file holds."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise fault("not UTF-8", f"{path}:{line}", "save it as UTF-8") from e
    if not text.strip():
        raise fault("the file is empty", path)
    try:
        return decoded(text)
    except json.JSONDecodeError as e:
        raise fault(f"broken JSON: {e.msg}, column {e.colno}", f"{path}:{e.lineno}") from e
    except RecursionError as e:
        raise fault("nested too deeply to be read", path) from e


def _begins(path: Path) -> bytes:
    """The first byte of a file that is no white space."""
    with path.open("rb") as file:
        while data := file.read(1 << 16):
            if text := data.lstrip(b"\xef\xbb\xbf \t\r\n"):
                return text[:1]
    return b""


def _one_record_a_line(path: Path) -> bool:
    """Whether the first line with text is a whole record and another line with text follows."""
    with path.open("rb") as file:
        lines = [line for line in islice(file, 100) if line.strip(b"\xef\xbb\xbf \t\r\n")]
    if len(lines) < 2:
        return False
    try:
        parse_object(lines[0].removeprefix(b"\xef\xbb\xbf"))
    except RowError:
        return False
    return True
