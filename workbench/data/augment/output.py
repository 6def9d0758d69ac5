"""`data/augmented.jsonl`: one made row a line, to be read and edited by a person, and its `[[data.source]]`.

The first row carries the digest of all that was written. Where it no longer fits, somebody has edited the
file: it is not written over then. Nothing is kept beside the file, so it may be moved and copied.
"""

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from workbench.data.augment.making import MadeRow
from workbench.data.example import Message, Pairs
from workbench.errors import fault
from workbench.project.files import write_atomic

PATH = "data/augmented.jsonl"
"""The file, relative to the project's folder."""
_DIGEST = re.compile(r', "digest": "([0-9a-f]{32})"\}$')
_NOT_IN_PLACEHOLDERS = re.compile(r"[{}.]")


def row_of(made: MadeRow, source: str) -> dict[str, Any]:
    """A made row as the file has it; `source` is the path of the source that its original is of."""
    example = made.example
    row: dict[str, Any] = {"messages": [turn_of(message) for message in example.messages]}
    if example.blocks:
        row["blocks"] = {_key(title): text for title, text in example.blocks}
    if example.tags:
        row["tags"] = {_key(name): value for name, value in example.tags}
    origin = {"source": source, "row": example.origin.row, "by": list(made.by), "v": 1}
    return row | {"made_from": origin, "group": made.group}


def source_table(path: str, made: Sequence[MadeRow]) -> dict[str, Any]:
    """The `[[data.source]]` that reads the file: trained on, never held out, with the blocks and tags that
    the rows have. Raises WorkbenchError when their contents are objects of different make."""
    table: dict[str, Any] = {"kind": "messages", "path": path, "name": "augmented", "group": "group"}
    if text := _text_key(made):
        table["text"] = text
    if blocks := _names(each.example.blocks for each in made):
        table["blocks"] = {title: f"{{blocks.{_key(title)}}}" for title in blocks}
    if tags := _names(each.example.tags for each in made):
        table["tags"] = {name: f"{{tags.{_key(name)}}}" for name in tags}
    return table | {"split": "train"}


def write(path: Path, made: Sequence[MadeRow], sources: Sequence[str], *, force: bool = False) -> None:
    """Write the made rows: the old file or the new one, whole.

    Args:
        path: the file.
        made: the rows.
        sources: the path of each `[[data.source]]` as the project names it.
        force: also over a file that was edited.

    Raises:
        WorkbenchError: the file is there and not as it was written, or it cannot be written.
    """
    if not force:
        refuse_edited(path)
    # A placeholder of the source needs its column in every row
    empty = {
        column: dict.fromkeys(map(_key, names), "")
        for column, names in (
            ("blocks", _names(each.example.blocks for each in made)),
            ("tags", _names(each.example.tags for each in made)),
        )
        if names
    }
    lines = []
    for each in made:
        row = row_of(each, sources[each.example.origin.source])
        filled = {column: texts | row.get(column, {}) for column, texts in empty.items()}
        lines.append(json.dumps(row | filled, ensure_ascii=False))
    if lines:
        lines[0] = f'{lines[0][:-1]}, "digest": "{_digest(lines)}"}}'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise fault(f"cannot be made: {e.strerror or e}", path.parent) from e
    write_atomic(path, "".join(f"{line}\n" for line in lines))


def refuse_edited(path: Path) -> None:
    """Raises WorkbenchError when the file is there and not as `write` wrote it, or cannot be read."""
    if edited(path):
        hint = "keep it under another name and add that as a source, or lose the changes with --force"
        raise fault("was edited since it was made", path, hint)


def edited(path: Path) -> bool:
    """Whether the file holds anything but what `write` wrote. Raises WorkbenchError: it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return False
    except OSError as e:
        raise fault(f"cannot be read: {e.strerror or e}", path) from e
    lines = text.split("\n")
    if lines.pop() or not lines:
        return bool(text)
    found = _DIGEST.search(lines[0])
    if not found:
        return True
    lines[0] = lines[0][: found.start()] + "}"
    return _digest(lines) != found[1]


def _digest(lines: Sequence[str]) -> str:
    return blake2b("\n".join(lines).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def turn_of(message: Message) -> dict[str, Any]:
    """A message as rows of kind `messages` have it."""
    return {"role": message.role, "content": message.for_template}


def _key(name: str) -> str:
    """A name as a placeholder can hold it: dots lead into objects, braces end it."""
    return _NOT_IN_PLACEHOLDERS.sub("_", name)


def _names(pairs: Iterable[Pairs]) -> list[str]:
    return list(dict.fromkeys(name for each in pairs for name, _ in each))


def _text_key(made: Sequence[MadeRow]) -> str:
    keys = dict.fromkeys(message.text_key for each in made for message in each.example.messages)
    named = [key for key in keys if key]
    if len(named) > 1:
        hint = "augment the sources in projects of their own"
        raise fault(f"rows whose text is under {' and '.join(named)} cannot be in one file", PATH, hint)
    return named[0] if named else ""
