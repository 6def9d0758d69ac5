"""Logs that a person's judgements are kept in: JSON lines, appended, never changed."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from workbench.errors import fault
from workbench.evaluation.records import Record
from workbench.project.files import append_line

_Line = TypeVar("_Line", bound=Record)


def append(path: Path, record: Record) -> None:
    """Append a record; it is on the disk when this returns. Raises WorkbenchError: it cannot be written."""
    append_line(path, json.dumps(record.model_dump(), ensure_ascii=False))


def read_log(path: Path, kind: type[_Line]) -> tuple[list[_Line], int]:
    """All records, oldest first, and how many lines are none: such a log is too dear to refuse whole.

    Half a last line is left out, a missing file is empty. Raises WorkbenchError: unreadable.
    """
    try:
        *lines, rest = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from None
    found, broken = [], 0
    for line in filter(bytes.strip, lines):
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError:
            broken += 1
    if rest.strip():
        # An editor leaves out the last line break; a writer that was killed leaves half a line
        with suppress(ValidationError):
            found.append(kind.model_validate_json(rest))
    return found, broken
