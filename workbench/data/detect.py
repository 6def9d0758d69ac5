"""A first mapping for a file whose shape is known, so that a new project starts from its files alone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data.example import Row
from workbench.data.rows import RowError, open_rows
from workbench.data.turns import ROLES
from workbench.errors import fault

_SAMPLE = 100
_TURN_COLUMNS = ("messages", "conversations", "conversation", "chat", "turns")
_ROLE_KEYS = ("role", "from", "speaker", "user")
_CONTENT_KEYS = ("content", "value", "text", "message")
_FIELDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("instruction", "input"), "output"),  # Alpaca
    (("instruction", "context"), "response"),  # Dolly
    (("instruction",), "output"),
    (("instruction",), "response"),
    (("prompt",), "completion"),  # OpenAI's older fine-tuning format
    (("prompt",), "response"),
    (("question",), "answer"),
    (("query",), "response"),
    (("input",), "output"),
    (("title",), "text"),
)
"""Columns of the user message and of the answer, the more particular pairs first."""
_SEPARATORS = ("\n\n###\n\n", "\n\n->\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n###\n", "\n->", "->")
_STOP_MARKS = (" END", "\n\n###\n\n", "###", "\n\n---\n\n", "<|endoftext|>")
"""Marks that OpenAI's data preparation put at the end of prompts and completions."""


def propose(path: Path) -> dict[str, Any]:
    """The `[[data.source]]` table for a file, told from the columns of its first rows.

    Raises:
        WorkbenchError: the file cannot be opened, none of its first rows is usable, or the columns, which are
            named, are of no known shape.
    """
    rows = _sample(path)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = _turns(rows, columns) or _fields(rows, columns)
    if table is None:
        named = ", ".join(str(name)[:40] for name in columns[:20])
        hint = "write a [[data.source]] that says which columns make the user message and the answer"
        raise fault(f"unknown shape, columns: {named}", path, hint)
    return {"path": str(path), **table}


def _sample(path: Path) -> list[Row]:
    """Those of the first rows that can be read."""
    rows = open_rows(path)
    try:
        usable: list[Row] = []
        first_fault: RowError | None = None
        for i in range(_SAMPLE):
            try:
                usable.append(rows[i])
            except RowError as e:
                first_fault = first_fault or e
            except IndexError:
                break
        if usable:
            return usable
        if first_fault is None:
            raise fault("has no rows", path)
        with path.open("rb") as file:
            is_list = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        hint = "it looks like a JSON list: name it .json" if is_list else ""
        raise fault(f"none of the first rows can be read: {first_fault}", path, hint)
    finally:
        rows.close()


def _turns(rows: list[Row], columns: list[str]) -> dict[str, Any] | None:
    """A mapping of kind `messages` when a column holds lists of turns."""
    for column in sorted(columns, key=lambda name: name not in _TURN_COLUMNS):
        lists = [row[column] for row in rows if isinstance(row.get(column), list)]
        turns = [turn for turns in lists for turn in turns if isinstance(turn, dict)]
        keys = list(dict.fromkeys(key for turn in turns for key in turn))
        role, content = _first(_ROLE_KEYS, keys), _first(_CONTENT_KEYS, keys)
        if role and content and _speaks(turns, role):
            return {"kind": "messages", "column": column, "role": role, "content": content}
    return None


def _speaks(turns: list[dict[str, Any]], role: str) -> bool:
    """Whether a speaker is known, so that it is a conversation and not another list of objects."""
    return any(str(turn.get(role)).strip().lower() in ROLES for turn in turns)


def _fields(rows: list[Row], columns: list[str]) -> dict[str, Any] | None:
    """A mapping of kind `fields` when the columns hold a known pair of question and answer."""
    named = {name.strip().lower(): name for name in reversed(columns) if _is_text(rows, name)}
    for user, answer in _FIELDS:
        if answer in named and all(name in named for name in user):
            table: dict[str, Any] = {
                "kind": "fields",
                "user": ["{" + named[name] + "}" for name in user],
                "assistant": "{" + named[answer] + "}",
            }
            if "system" in named:
                table["system"] = "{" + named["system"] + "}"
            if len(user) == 1 and (mark := _ending(rows, named[user[0]], _SEPARATORS)):
                table["strip_user"] = [mark]
            if mark := _ending(rows, named[answer], _STOP_MARKS):
                table["strip_assistant"] = [mark]
            return table
    return None


def _is_text(rows: list[Row], column: str) -> bool:
    """Whether a placeholder can name the column and no row holds a list or an object in it."""
    return not set(column) & set("{}") and not any(isinstance(row.get(column), list | dict) for row in rows)


def _ending(rows: list[Row], column: str, marks: Iterable[str]) -> str:
    """The first of `marks` with which every text of the column ends."""
    texts = [row[column] for row in rows if isinstance(row.get(column), str) and row[column].strip()]
    return next((mark for mark in marks if texts and all(text.endswith(mark) for text in texts)), "")


def _first(names: Iterable[str], present: list[str]) -> str:
    return next((name for name in names if name in present), "")
