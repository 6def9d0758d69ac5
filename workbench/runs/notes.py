"""The journal entry of a run, `notes.md`: what was tried, and what came of it."""

from workbench.errors import fault
from workbench.project.files import write_atomic
from workbench.runs.folder import Run

NOTES = "notes.md"


def read_notes(run: Run) -> str:
    """The entry as it stands; empty when there is none. Raises WorkbenchError when it cannot be read."""
    path = run.folder / NOTES
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from error


def add_note(run: Run, text: str) -> None:
    """Add a paragraph at the end. Raises WorkbenchError when it cannot be written; the entry stays then."""
    if not text.strip():
        raise fault("the note is empty", run.id)
    before = read_notes(run).rstrip()
    write_atomic(run.folder / NOTES, f"{before}\n\n{text.strip()}\n" if before else f"{text.strip()}\n")
