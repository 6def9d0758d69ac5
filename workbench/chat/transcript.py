"""A conversation on disk: one JSON line an answer, only ever appended to.

A line holds the messages that are new, how many of the messages before them still count (fewer after an
answer was asked for again), and what answered: the target, the sampling settings, the figures. So the file
keeps every answer, and reading it top to bottom gives the conversation as it stood last. Where several models
answer the same questions, each has a column of its own. What a person thinks of an answer is a line that
names it by its number.
"""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from workbench.chat.protocol import Done, Target
from workbench.data.example import Message
from workbench.errors import fault
from workbench.project.files import append_line
from workbench.project.schema import ChatSettings

VERSION = 1
FOLDER = "chats"
Rating = Literal["good", "bad", ""]
_NOT_KEPT = ("id", "kind", "v", "column", "details")


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
        column: whose conversation it is, where several stand beside each other.
        beside: number of the first answer to the same asking, where there are several.
        cut: what clean-up took out of the answer.
        raw: the answer as the model wrote it, where clean-up took something out.
        rating: what a person thought of it last; empty for nothing.
        issues: what is wrong with it, as a person put it.
    """

    time: float
    keep: int
    messages: list[Message]
    target: dict[str, Any]
    settings: dict[str, Any]
    result: dict[str, Any]
    column: int = 0
    beside: int | None = None
    cut: str = ""
    raw: str = ""
    rating: Rating = ""
    issues: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A line on an answer that was given before.

    Attributes:
        time: in Unix seconds.
        about: number of the answer in the file, from 0.
        rating: good, bad, or empty for none any more; None leaves it as it is.
        issue: what is wrong with it; empty for nothing.
    """

    time: float
    about: int
    rating: Rating | None = None
    issue: str = ""


class Transcript:
    """A transcript that is being written.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, entries: Sequence[Entry] = ()) -> None:
        """`entries`: what the file holds already."""
        self.path = path
        self._answers = len(entries)
        self._written = {column: conversation(entries, column) for column in columns(entries)}

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

    @classmethod
    def reopen(cls, path: Path) -> tuple["Transcript", list[Entry]]:
        """Go on with a file, and what it holds; half a last line, which nobody can read, is taken off.

        Raises WorkbenchError as `read_transcript`, or when the file cannot be written.
        """
        entries = read_transcript(path)
        try:
            with path.open("rb+") as stream:
                stream.truncate(stream.read().rfind(b"\n") + 1)
        except OSError as error:
            raise fault(f"the transcript cannot be written: {error.strerror}", path) from None
        return cls(path, entries), entries

    def add(
        self,
        conversation: Sequence[Message],
        target: Target,
        settings: ChatSettings,
        done: Done,
        *,
        column: int = 0,
        beside: int | None = None,
        cut: str = "",
        raw: str = "",
    ) -> int:
        """Append an answer.

        Args:
            conversation: all of it, the answer last; what the column's last call wrote is not written again.
            target: whom the answer is from.
            settings: how it was drawn.
            done: how it ended; what it says of single tokens is not kept.
            column: whose conversation.
            beside: number of the first answer to the same asking; None for this one.
            cut: what clean-up took out of the answer.
            raw: the answer before that.

        Returns:
            The answer's number in the file, from 0.

        Raises WorkbenchError: the disk is full, or the like; the next call writes what is missing.
        """
        keep = 0
        for old, new in zip(self._written.get(column, ()), conversation, strict=False):
            if old != new:
                break
            keep += 1
        keep = min(keep, len(conversation) - 1)  # an answer that came out the same again is an answer too
        line = {
            "v": VERSION,
            "time": time.time(),
            "keep": keep,
            "messages": [asdict(message) for message in conversation[keep:]],
            "target": target_fields(target),
            "settings": settings.model_dump(mode="json"),
            "result": result_fields(done),
            **({"column": column} if column else {}),
            **({"beside": beside} if beside is not None else {}),
            **({"cut": cut, "raw": raw} if cut else {}),
        }
        self._append(line)
        self._written[column] = list(conversation)
        self._answers += 1
        return self._answers - 1

    def judge(self, about: int, *, rating: Rating | None = None, issue: str = "") -> None:
        """Append what a person thinks of answer `about`: rating, issue, or both. Raises WorkbenchError."""
        self._append({"v": VERSION, **asdict(Opinion(time.time(), about, rating, issue))})

    def _append(self, line: dict[str, Any]) -> None:
        append_line(self.path, json.dumps(line, ensure_ascii=False, default=str))


def target_fields(target: Target) -> dict[str, Any]:
    """A target as a transcript has it."""
    fields = {key: value for key, value in asdict(target).items() if value not in (None, "")}
    del fields["project_folder"]
    return fields | {"prompt": target.prompt.model_dump(mode="json", exclude_defaults=True)}


def result_fields(done: Done) -> dict[str, Any]:
    """How an answer ended, as a transcript has it."""
    return {key: value for key, value in asdict(done).items() if key not in _NOT_KEPT}


def transcripts(project_folder: Path) -> list[Path]:
    """The project's transcripts, the one that was written last first."""
    listed = []
    for path in (project_folder / FOLDER).glob("*.jsonl"):
        with suppress(OSError):  # taken away meanwhile
            if (status := path.stat()).st_size:
                listed.append((status.st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(listed, reverse=True)]


def read_transcript(path: Path) -> list[Entry]:
    """All answers in the order they were given; half a last line is left out.

    Raises WorkbenchError: unreadable, or a broken line, with its number.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", path) from None
    adapter = _lines()
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        try:
            read = adapter.validate_json(line)
        except ValidationError as error:
            what = error.errors(include_url=False)[0]["msg"]
            raise fault(f"not a line of a transcript: {what}", f"{path}:{number}") from None
        if isinstance(read, Entry):
            entries.append(read)
        elif not 0 <= read.about < len(entries):
            raise fault(f"there is no answer {read.about} before this line", f"{path}:{number}")
        else:
            entries[read.about] = _judged(entries[read.about], read)
    return entries


@cache
def _lines() -> TypeAdapter[Entry | Opinion]:
    """Building it costs some milliseconds, and a list of transcripts reads many."""
    return TypeAdapter(Entry | Opinion)


def columns(entries: Sequence[Entry]) -> list[int]:
    """The columns that have answers, in order."""
    return sorted({entry.column for entry in entries})


def conversation(entries: Sequence[Entry], column: int = 0) -> list[Message]:
    """A column's conversation as it stood after the last of `entries`."""
    messages: list[Message] = []
    for entry in entries:
        if entry.column == column:
            messages[entry.keep :] = entry.messages
    return messages


def _judged(entry: Entry, opinion: Opinion) -> Entry:
    return replace(
        entry,
        rating=entry.rating if opinion.rating is None else opinion.rating,
        issues=[*entry.issues, opinion.issue] if opinion.issue else entry.issues,
    )
