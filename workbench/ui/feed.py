"""What the train pane knows of one run: read from its event log in slices."""

import time
from threading import Lock
from typing import TYPE_CHECKING

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, State, read_status

if TYPE_CHECKING:
    from workbench.runs.verdict.finding import Verdict

JUDGE_SECONDS = 5.0
"""A run of a million steps takes a third of a second to be judged."""


class RunFeed:
    """One run as it goes on: `read` belongs to a worker thread, `take` and what it changes to the event loop.

    Attributes:
        series: the curves so far.
        status: as of the last `take`.
        step: the last step event; empty before the first.
        evaluated: the last validation event; empty before the first.
        started: the last `started` event; empty before the first.
        remarks: warnings and acknowledged commands, oldest first.
        verdict: what the curves show; None before the log was read to its end for the first time.
        busy: held while a slice is read, so that a slow disk never has two readers on one log.
    """

    def __init__(self, run: Run) -> None:
        from workbench.runs.series import Series

        self.run = run
        self.series: Series = Series()
        self.status: RunStatus = read_status(run)
        self.step: Event = {}
        self.evaluated: Event = {}
        self.started: Event = {}
        self.remarks: list[str] = []
        self.verdict: Verdict | None = None
        self._judged: tuple[float, int, int, State] | None = None
        self.busy = Lock()
        self._tail = EventTail(run.events)

    def read(self) -> tuple[list[Event], RunStatus]:
        """One slice of the log, empty at its end, and the status now."""
        return self._tail.read(), read_status(self.run)

    def take(self, batch: list[Event], status: RunStatus) -> None:
        """Take in what was read."""
        self.status = status
        self.series.feed(batch)
        for event in batch:
            match event["kind"]:
                case "started":
                    self.started = event
                    self.remarks.clear()  # what an earlier attempt was told
                case "step":
                    self.step = event
                case "evaluated":
                    self.evaluated = event
                case "warning":
                    self.remarks.append(str(event.get("message", "")))
                case "command":
                    self.remarks.append(f"{event.get('name')}: {event.get('reason') or 'done'}")

    def judge(self) -> bool:
        """Judge anew what was taken in, at most every few seconds while it grows; whether it was done.

        For the worker thread at the end of the log, while `busy` is held: nothing is taken in meanwhile.
        """
        from workbench.runs.verdict.facts import facts_of
        from workbench.runs.verdict.judge import judge

        steps, _ = self.series.curve("loss")
        validations, _ = self.series.curve("validation_loss")
        if not len(steps) and not len(validations):
            return False
        state = (time.monotonic(), len(steps), len(validations), self.status.state)
        if self._judged is not None:
            before, *seen = self._judged
            soon = state[0] < before + JUDGE_SECONDS and self.status.state is State.RUNNING
            if seen == list(state[1:]) or soon:
                return False
        self._judged = state
        self.verdict = judge(self.series, facts_of(self.run, self.started, self.step))
        return True
