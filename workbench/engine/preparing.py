"""What happens before the first step, told while it happens."""

import time

from workbench.runs.events import EventWriter


class Preparing:
    """Tells the events how far a phase before the first step is, twice a second at most."""

    def __init__(self, events: EventWriter, phase: str) -> None:
        self._events = events
        self._phase = phase
        self._next = 0.0
        self(0, 0)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + 0.5
            self._events.write("preparing", phase=self._phase, done=done, total=total)
