"""What can be read about the chosen run, and written down: verdict, table of its metrics, journal."""

from typing import ClassVar

from textual import work

from workbench.ui.feed import RunFeed
from workbench.ui.panes.base import Pane
from workbench.ui.widgets.reading import Reading

DIALOG_CELLS = 62
"""Width of the text in a dialog, on a screen that is wide enough for one."""

FRAME_CELLS = 8
"""What a dialog takes of a narrower screen for itself."""


class RunBook(Pane):
    """A pane that follows a run; see `TrainPane`."""

    READS: ClassVar[tuple[str, ...]] = ("verdict", "describe", "note")
    feed: RunFeed | None

    def do_verdict(self) -> None:
        """All findings, each with its rule."""
        assert self.feed is not None
        verdict = self.feed.verdict
        if verdict is None:
            self.workbench.say("nothing was logged yet that could be judged", "warning")
            return
        lines = [verdict.line, *map(str, verdict.findings[1:])]
        self.app.push_screen(Reading(f"Verdict on {self.feed.run.id}", "\n\n".join(lines).split("\n")))

    def do_describe(self) -> None:
        """The table, as `workbench describe` prints it."""
        assert self.feed is not None
        self._describe(self.feed)

    @work(thread=True, group="describe", exclusive=True, exit_on_error=False)
    def _describe(self, feed: RunFeed) -> None:
        from workbench.runs.describe import as_lines, describe_run

        described = describe_run(feed.run)
        width = max(20, min(DIALOG_CELLS, self.app.size.width - FRAME_CELLS))
        lines = as_lines(described, width) or ["nothing was logged yet"]
        self.app.call_from_thread(self.app.push_screen, Reading(feed.run.id, lines))

    def do_note(self) -> None:
        """Show the journal entry of the run, and add a paragraph to it."""
        from workbench.runs.notes import add_note, read_notes
        from workbench.ui.widgets.note import NoteDialog

        assert self.feed is not None
        run = self.feed.run

        def written(text: str | None) -> None:
            if text:
                with self.telling():
                    add_note(run, text)
                    self.workbench.say("added to notes.md of the run")

        self.app.push_screen(NoteDialog(run.id, read_notes(run)), written)
