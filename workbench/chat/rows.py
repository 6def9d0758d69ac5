"""Turns of a chat as training rows: `data/from_chat.jsonl`, one conversation a line, with its provenance."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.chat.conversation import Answer
from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.files import append_line
from workbench.project.store import OpenProject

PATH = "data/from_chat.jsonl"
"""The file, relative to the project's folder."""


def save_row(
    project: OpenProject, messages: Sequence[Message], answer: Answer, *, transcript: Path | None
) -> Path:
    """Append a conversation that ends with `answer`, and where it came from.

    A system message of the chat that is not the one of training stands in the row: it would be another
    conversation without it.

    Raises WorkbenchError: the file cannot be written; it is as it was then.
    """
    said = [{"role": each.role, "content": each.for_template} for each in messages]
    system = project.settings.chat.system
    if system and system != project.settings.prompt.system:
        said.insert(0, {"role": "system", "content": system})
    made_from = {
        "chat": transcript.name if transcript else "",
        "answer": answer.number,
        "by": answer.target["label"],
        "rating": answer.rating,
        "time": time.time(),
        "v": 1,
    }
    path = project.folder / PATH
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault(f"the row cannot be saved: {error.strerror}", path.parent) from None
    append_line(path, json.dumps({"messages": said, "made_from": made_from}, ensure_ascii=False))
    answer.saved = True
    return path


def is_source(project: OpenProject) -> bool:
    """Whether the project trains on the file already."""
    own = (project.folder / PATH).resolve()
    return any((project.folder / source.path).resolve() == own for source in project.settings.data.source)


def source_table(project: OpenProject, messages: Sequence[Message]) -> dict[str, Any]:
    """The `[[data.source]]` that reads the file, for messages such as these: trained on, never held out."""
    text_key = next((message.text_key for message in messages if message.text_key), "")
    table = {"kind": "messages", "path": str(project.folder / PATH), "name": "from chat", "split": "train"}
    return table | ({"text": text_key} if text_key else {})
