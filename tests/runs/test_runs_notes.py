"""The journal entry of a run."""

import pytest

from workbench.errors import WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.notes import add_note, read_notes


def test_paragraphs_are_added_and_what_was_written_by_hand_stays(run: Run) -> None:
    assert read_notes(run) == ""
    add_note(run, "  lr 5e-4 was too high \n")
    (run.folder / "notes.md").write_text(read_notes(run) + "\n- by hand\n")
    add_note(run, "二\n三")
    assert read_notes(run) == "lr 5e-4 was too high\n\n- by hand\n\n二\n三\n"


def test_an_empty_note_is_refused(run: Run) -> None:
    with pytest.raises(WorkbenchError, match="empty"):
        add_note(run, " \n")
    assert not (run.folder / "notes.md").exists()


def test_a_note_that_cannot_be_read_is_a_fault(run: Run) -> None:
    (run.folder / "notes.md").mkdir()
    with pytest.raises(WorkbenchError, match=r"notes\.md: cannot be read"):
        read_notes(run)
