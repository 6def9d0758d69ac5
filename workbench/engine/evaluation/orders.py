"""What others ask of a running evaluation: to stop, through its control folder or a signal."""

import os
import signal
import time
from contextlib import suppress
from types import FrameType

from workbench.engine.evaluation.batches import Stopped
from workbench.evaluation.folder import Evaluation
from workbench.runs.control import pending
from workbench.runs.events import EventWriter

LOOK_SECONDS = 0.2


class Orders:
    """Looks for a wish to stop, a few times a second at most."""

    def __init__(self, evaluation: Evaluation, events: EventWriter) -> None:
        self._evaluation = evaluation
        self._events = events
        self._signal = ""
        self._next = 0.0

    def catch_signals(self) -> None:
        """SIGTERM and SIGINT ask for a stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def heed(self) -> None:
        """Raise Stopped where somebody asked for it, or where the folder was removed."""
        if self._signal:
            raise Stopped(self._signal)
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LOOK_SECONDS
        with suppress(OSError):
            if os.stat(self._evaluation.folder).st_nlink == 0:
                raise Stopped("its folder was removed")
        for command in pending(self._evaluation):
            known = command.name == "stop"
            reason = "" if known else "an evaluation can only be asked to stop"
            self._events.write("command", name=command.name, acknowledged=known, reason=reason)
            if known:
                raise Stopped("asked to stop")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signal = f"got {signal.Signals(number).name}"
