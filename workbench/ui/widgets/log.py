"""The end of a text file as it grows, such as a run's console.log."""

from pathlib import Path

from textual.scroll_view import ScrollView


class LogTail(ScrollView, can_focus=True):
    """The last lines of a file, following its end until the reader scrolls up."""

    def follow(self, path: Path) -> None:
        """Show this file from now on; it need not exist yet."""
