"""How far an evaluation is, told while it goes on."""

import time
from collections import Counter
from typing import Literal

from workbench.runs.events import EventWriter

Phase = Literal["perplexity", "answers", "labels"]
EVERY_SECONDS = 0.5


class Progress:
    """Counts rows of measures, and tells of them twice a second at most.

    Args:
        events: where it is told.
        total: rows of each measure of each contestant.
        done: those that an earlier attempt has left behind.
    """

    def __init__(
        self, events: EventWriter, total: dict[tuple[Phase, int], int], done: dict[tuple[Phase, int], int]
    ) -> None:
        self._events = events
        self._total = Counter(total)
        self._done = Counter(done)
        self._seconds: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._phase: Phase | Literal["loading"] = "loading"
        self._contestant: int | None = None
        self._since = self._next = 0.0

    def begin(self, phase: Phase | Literal["loading"], contestant: int) -> None:
        """Something else is done from here on."""
        self._phase, self._contestant = phase, contestant
        self._since, self._next = time.monotonic(), 0.0
        self._tell()

    def advance(self, rows: int) -> None:
        """So many rows more of the phase are done."""
        now = time.monotonic()
        self._seconds[self._phase] += now - self._since  # type: ignore[assignment]
        self._since = now
        if self._phase != "loading" and self._contestant is not None:
            self._rows[self._phase] += rows
            self._done[self._phase, self._contestant] += rows
        if now >= self._next:
            self._tell()

    def drop(self, contestant: int) -> None:
        """Nothing more will be measured of this one."""
        for key in [key for key in self._total if key[1] == contestant]:
            self._total[key] = self._done[key]
        self._tell()

    def end(self) -> None:
        """The last word."""
        self._contestant = None
        self._tell()

    def _tell(self) -> None:
        self._next = time.monotonic() + EVERY_SECONDS
        self._events.write(
            "progress",
            phase=self._phase,
            contestant=self._contestant,
            done=sum(self._done.values()),
            total=sum(self._total.values()),
            eta_seconds=self._eta(),
        )

    def _eta(self) -> float | None:
        """Seconds left at the pace of each measure so far; None while one to come was never timed."""
        left: Counter[str] = Counter()
        for (phase, contestant), total in self._total.items():
            left[phase] += total - self._done[phase, contestant]
        seconds = 0.0
        for measure, rows in left.items():
            if rows > 0:
                if not self._rows[measure]:
                    return None
                seconds += rows * self._seconds[measure] / self._rows[measure]
        return round(seconds, 1)
