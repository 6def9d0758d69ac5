"""A conversation on disk: one JSON line an answer, only ever appended to.

A line holds the messages that are new, how many of the messages before them still count (fewer after an
answer was asked for again), and what answered: the target, the sampling settings, the figures. So the file
keeps every answer, and reading it top to bottom gives the conversation as it stood last.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from workbench.chat.protocol import Done, Target
from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.files import append_line
from workbench.project.schema import ChatSettings

VERSION = 1
FOLDER = "chats"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript.

    Attributes:
        time: when the answer was complete, in Unix seconds.
        keep: messages of the conversation so far that stand before these.
        messages: the new messages, the answer last.
        target: whom the answer is from: label, run, step, template and so on.
        settings: how it was drawn.
        result: why it ended, its token ids and its figures.
    """

    time: float
    keep: int
    messages: list[Message]
    target: dict[str, Any]
    settings: dict[str, Any]
    result: dict[str, Any]


class Transcript:
    """A transcript that is being written.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: list[Message] = []

    @classmethod
    def begin(cls, project_folder: Path) -> "Transcript":
        """A new, empty one in the project's `chats/`, named by the time. Raises WorkbenchError."""
        folder = project_folder / FOLDER
        stamp, count = time.strftime("%Y%m%d-%H%M%S"), 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                path = folder / (f"{stamp}.jsonl" if count == 1 else f"{stamp}-{count}.jsonl")
                try:
                    path.open("xb").close()
                    return cls(path)
                except FileExistsError:
                    count += 1
        except OSError as error:
            raise fault(f"the transcript cannot be written: {error.strerror}", folder) from None

    def add(
        self, conversation: Sequence[Message], target: Target, settings: ChatSettings, done: Done
    ) -> None:
        """Append an answer.

        Args:
            conversation: all of it, the answer last; only what differs from the last call is written.
            target: whom the answer is from.
            settings: how it was drawn.
            done: how it ended.

        Raises WorkbenchError: the disk is full, or the like; the next call writes what is missing.
        """
        keep = 0
        for old, new in zip(self._written, conversation, strict=False):
            if old != new:
                break
            keep += 1
        keep = min(keep, len(conversation) - 1)  # an answer that came out the same again is an answer too
        target_fields = {key: value for key, value in asdict(target).items() if value not in (None, "")}
        del target_fields["project_folder"]
        target_fields["prompt"] = target.prompt.model_dump(mode="json", exclude_defaults=True)
        result = {key: value for key, value in asdict(done).items() if key not in ("id", "kind", "v")}
        line = {
            "v": VERSION,
            "time": time.time(),
            "keep": keep,
            "messages": [asdict(message) for message in conversation[keep:]],
            "target": target_fields,
            "settings": settings.model_dump(mode="json"),
            "result": result,
        }
        append_line(self.path, json.dumps(line, ensure_ascii=False, default=str))
        self._written = list(conversation)


def read_transcript(path: Path) -> list[Entry]:
    """All answers in the order they were given; half a last line is left out.

    Raises WorkbenchError: unreadable, or a broken line, with its number.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", path) from None
    adapter = TypeAdapter(Entry)
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(adapter.validate_json(line))
        except ValidationError as error:
            what = error.errors(include_url=False)[0]["msg"]
            raise fault(f"not a line of a transcript: {what}", f"{path}:{number}") from None
    return entries


def conversation(entries: Sequence[Entry]) -> list[Message]:
    """The conversation as it stood after the last of `entries`."""
    messages: list[Message] = []
    for entry in entries:
        messages[entry.keep :] = entry.messages
    return messages
