"""A transcript as Markdown, to be read and passed on."""

import time
from collections.abc import Sequence
from pathlib import Path

from workbench.chat.transcript import Entry, columns, conversation
from workbench.project.files import write_atomic


def as_markdown(title: str, entries: Sequence[Entry]) -> str:
    """The conversation as it stood last, column by column, each answer with whom it is from."""
    parts = [f"# {title}"]
    for column in columns(entries):
        own = [entry for entry in entries if entry.column == column]
        by = list(dict.fromkeys(entry.target.get("label", "") for entry in own))
        parts.append(f"## {', '.join(by)}")
        answers = {entry.messages[-1].content: entry for entry in own}
        for message in conversation(entries, column):
            given = "".join(f", {key}: {value}" for key, value in message.given)
            if message.role != "assistant":
                parts.append(f"**{message.role}**{given}\n\n{message.content}")
                continue
            entry = answers.get(message.content)
            who = entry.target.get("label", "") if entry else "written by hand"
            parts.append(f"**{who}**{given}\n\n{message.content}")
            if entry and (said := _opinions(entry)):
                parts.append(said)
    last = time.strftime("%Y-%m-%d %H:%M", time.localtime(entries[-1].time)) if entries else "empty"
    parts.append(f"*{len(entries)} answers, the last one {last}*")
    return "\n\n".join(parts) + "\n"


def export_markdown(transcript: Path, entries: Sequence[Entry]) -> Path:
    """Write it beside the transcript, over an older one. Raises WorkbenchError."""
    path = transcript.with_suffix(".md")
    write_atomic(path, as_markdown(f"Chat of {transcript.stem}", entries))
    return path


def _opinions(entry: Entry) -> str:
    said = [f"rated {entry.rating}"] if entry.rating else []
    return "\n".join(f"> {each}" for each in [*said, *(f"issue: {issue}" for issue in entry.issues)])
