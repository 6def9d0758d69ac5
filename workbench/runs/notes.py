"""The journal entry of a run or an evaluation, `notes.md`: what was tried, and what came of it."""

from pathlib import Path
from typing import Protocol

from workbench.errors import fault
from workbench.project.files import write_atomic

NOTES = "notes.md"


class Noted(Protocol):
    """A run, or another job with a folder of its own."""

    @property
    def folder(self) -> Path: ...

    @property
    def id(self) -> str: ...


def read_notes(run: Noted) -> str:
    """The entry as it stands; empty when there is none. Raises WorkbenchError when it cannot be read."""
    path = run.folder / NOTES
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from error


def add_note(run: Noted, text: str) -> None:
    """Add a paragraph at the end. Raises WorkbenchError when it cannot be written; the entry stays then."""
    if not text.strip():
        raise fault("the note is empty", run.id)
    before = read_notes(run).rstrip()
    write_atomic(run.folder / NOTES, f"{before}\n\n{text.strip()}\n" if before else f"{text.strip()}\n")
