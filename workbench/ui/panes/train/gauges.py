"""The line that says what the run in view takes of the box."""

from threading import Lock
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.widgets import Static

from workbench.runs.folder import Run
from workbench.ui.text import clean

if TYPE_CHECKING:
    from workbench.machine.gauges import Gauges

SAMPLE_SECONDS = 2.0


class GaugeLine(Static):
    """One line while the run goes on, none else; read in a thread, and only while it could be seen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.display = False
        self._run: Run | None = None
        self._gauges: Gauges | None = None
        self._busy = Lock()

    def on_mount(self) -> None:
        """Look now and then."""
        self.set_interval(SAMPLE_SECONDS, self.look)

    def follow(self, run: Run | None) -> None:
        """This run from now on."""
        if run != self._run:
            self._run = run
            self._show("")
            self.look()

    def look(self) -> None:
        """Read anew, if the line would be seen: it hides itself, so its parent tells."""
        if self._run is not None and self.parent.is_on_screen:  # type: ignore[union-attr]
            self._read(self._run, self.parent.size.width - 2)  # type: ignore[union-attr]

    @work(thread=True, group="gauges", exit_on_error=False)
    def _read(self, run: Run, width: int) -> None:
        from workbench.machine.gauges import Gauges

        if self._busy.acquire(blocking=False):  # a driver that hangs has one reader, not more and more
            try:
                self._gauges = self._gauges or Gauges()
                line = self._gauges.read(run, width)
            finally:
                self._busy.release()
            if run == self._run:
                self.app.call_from_thread(self._show, line)

    def _show(self, line: str) -> None:
        self.update(Text(clean(line), no_wrap=True, overflow="ellipsis"))
        self.display = bool(line)
