"""The end of a text file as it grows, such as a run's console.log."""

import os
import re
from collections import deque
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.ui.text import clean_lines
from workbench.ui.wrapping import word_ends, wrap

POLL_SECONDS = 0.5
KEPT_LINES = 2000
SLICE_BYTES = 256 * 1024
"""Read at once; of a longer file only the end is read, and what grows faster is skipped."""

OPEN_BYTES = 64 * 1024
"""Kept of a line that has no end yet: a progress bar rewrites one line for hours."""

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]")


class TextTail:
    """The last lines of a file, read by polling: no watcher is needed and network file systems work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._offset = 0
        self._inode = 0
        self._rest = b""

    def read(self) -> bool:
        """Take in what was written since the last time; True when there was something.

        A file that was replaced or became shorter is read anew.
        """
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._inode, self._offset, self._rest = status.st_ino, 0, b""
                    self.lines.clear()
                if status.st_size == self._offset:
                    return False
                if status.st_size - self._offset > SLICE_BYTES:
                    self._offset, self._rest = status.st_size - SLICE_BYTES, b""
                    file.seek(self._offset)
                    self._offset += len(file.readline())
                file.seek(self._offset)
                data = file.read(SLICE_BYTES)
        except OSError:
            return False
        self._offset += len(data)
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-OPEN_BYTES:]
        self.lines.extend(map(readable, whole[-KEPT_LINES:]))
        return True

    @property
    def open_line(self) -> str:
        """What stands after the last newline, such as a progress bar."""
        return readable(self._rest)


def readable(line: bytes) -> str:
    """A line as a terminal would leave it: without colours, and of a rewritten line the last state."""
    text = _ESCAPES.sub("", line.decode("utf-8", "replace"))
    return clean_lines(next((part for part in reversed(text.split("\r")) if part.strip()), ""))


class LogTail(ScrollView, can_focus=True, inherit_bindings=False):
    """Follows the end of a file until the reader scrolls up, and again from the end on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", show=False),
        Binding("down,j", "scroll_by(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "to(False)", show=False),
        Binding("end,G", "to(True)", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tail: TextTail | None = None
        self._shown: list[str] = []
        self._width = 0

    def follow(self, path: Path) -> None:
        """Show this file from now on; it need not exist yet."""
        if self._tail is None or self._tail.path != path:
            self._tail = TextTail(path)
            self._lay_out()
            self._poll()

    def on_mount(self) -> None:
        """Polls while it is in view."""
        self.set_interval(POLL_SECONDS, self._poll)

    def on_show(self) -> None:
        """Catch up at once."""
        self._poll()

    def on_resize(self) -> None:
        """Break lines for the new width."""
        if self.scrollable_content_region.width != self._width:
            self._lay_out()

    def _poll(self) -> None:
        if self._tail is not None and self.is_attached and self.is_on_screen and self._tail.read():
            self._lay_out()

    def _lay_out(self) -> None:
        """Two thousand lines take a few milliseconds, so that nothing is carried over from before."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._width = self.scrollable_content_region.width
        tail = self._tail
        lines = [] if tail is None else [*tail.lines, *([tail.open_line] if tail.open_line else [])]
        self._shown = [part for line in lines for part in _parts(line, self._width)]
        self.virtual_size = Size(0, len(self._shown))
        if at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the file, or a part of a long one."""
        line, style = self.scroll_offset.y + y, self.rich_style
        if line >= len(self._shown):
            note = "Nothing is written here yet" if y == 0 and not self._shown else ""
            return Strip([Segment(note, style)]).adjust_cell_length(self.size.width, style)
        return Strip([Segment(self._shown[line], style)]).adjust_cell_length(self.size.width, style)

    def action_scroll_by(self, lines: int) -> None:
        """Up or down."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.action_scroll_by(pages * max(1, self.scrollable_content_region.height - 1))

    def action_to(self, end: bool) -> None:
        """The first line kept, or the end."""
        self.scroll_to(y=self.max_scroll_y if end else 0, animate=False)


def _parts(line: str, width: int) -> list[str]:
    if len(line) <= width and line.isascii():
        return [line]
    starts = wrap(line, word_ends(line), width)
    return [line[start:end] for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]
