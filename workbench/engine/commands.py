"""What others ask of a running training, through the run's control folder and through signals."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from workbench.runs.control import pending
from workbench.runs.events import EventWriter
from workbench.runs.folder import Run


class StopNow(BaseException):
    """Asked to end at once, without a checkpoint. No `Exception`: nobody on the way up may handle it."""


class Commands:
    """Requests not yet carried out.

    Attributes:
        stop: finish the step, write a checkpoint, end.
        checkpoint: write a checkpoint at the end of this step.
    """

    def __init__(self, run: Run, events: EventWriter) -> None:
        self.stop = False
        self.checkpoint = False
        self._run = run
        self._events = events
        self._stepping = False
        self._signal = ""

    def poll(self) -> None:
        """Take over what lies in the control folder; costs one directory listing.

        Raises:
            StopNow: on `stop-now`, and when the run was removed: nobody could see what it does.
        """
        with suppress(OSError):
            if os.stat(self._run.folder).st_nlink == 0:
                raise StopNow("the run's folder was removed")
        if self._signal:
            self._events.write("command", name="stop", acknowledged=True, reason=self._signal)
            self._signal = ""
        for name in pending(self._run):
            if name == "stop":
                self.stop = True
            elif name == "checkpoint":
                self.checkpoint = True
            known = name in ("stop", "stop-now", "checkpoint")
            reason = "" if known else "training knows stop, stop-now and checkpoint"
            self._events.write("command", name=name, acknowledged=known, reason=reason)
            if name == "stop-now":
                raise StopNow("asked to stop at once")

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """While steps are taken a first signal asks for an orderly stop; before and after it ends at once."""
        self._stepping = True
        try:
            yield
        finally:
            self._stepping = False

    def catch_signals(self) -> None:
        """SIGTERM and SIGINT: stop; a second one: now."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def ignore_signals(self) -> None:
        """All is decided: the last word must not be cut off."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.stop or not self._stepping:
            raise StopNow(f"{name} received")
        # Acknowledged by the next poll: this handler may have interrupted the writing of an event
        self.stop, self._signal = True, f"{name} received"
