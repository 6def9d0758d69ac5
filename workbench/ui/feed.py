"""What the train pane knows of one run: read from its event log in slices."""

import time
from threading import Lock
from typing import TYPE_CHECKING

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.glance import glance
from workbench.runs.status import RunStatus, State, read_status

JUDGE_SECONDS = 5.0
"""A run of a million steps takes a third of a second to be judged."""

if TYPE_CHECKING:
    from workbench.runs.series import Series
    from workbench.runs.verdict.finding import Verdict


class RunFeed:
    """One run as it goes on: `read` belongs to a worker thread, `take` and what it changes to the event loop.

    Of a long log the curves are seen at a glance first, and replaced once all of it is read.

    Attributes:
        status: as of the last `take`.
        step: the last step event; empty before the first.
        evaluated: the last validation event; empty before the first.
        started: the last `started` event; empty before the first.
        remarks: warnings and acknowledged commands, oldest first.
        samples: answers of the model while it trained, oldest first.
        verdict: what the curves show; None before the log was read to its end for the first time.
        busy: held while a slice is read, so that a slow disk never has two readers on one log.
    """

    def __init__(self, run: Run) -> None:
        from workbench.runs.series import Series

        self.run = run
        self._series = Series()
        self._glance: Series | None = None
        self._glanced = False
        self.status: RunStatus = read_status(run)
        self.step: Event = {}
        self.evaluated: Event = {}
        self.started: Event = {}
        self.remarks: list[str] = []
        self.samples: list[Event] = []
        self.verdict: Verdict | None = None
        self._judged: tuple[float, int, int, State] | None = None
        self.busy = Lock()
        self._tail = EventTail(run.events)

    @property
    def series(self) -> "Series":
        """The curves so far."""
        return self._series if self._glance is None else self._glance

    def read(self) -> tuple[list[Event], RunStatus, bool]:
        """One slice of the log, empty at its end; the status now; and whether to read on at once."""
        if not self._glanced:
            self._glanced = True
            if events := glance(self.run.events):
                self._look_ahead(events)
                return [], read_status(self.run), True
        batch, status = self._tail.read(), read_status(self.run)
        at_end = not batch
        if at_end and self._glance is not None:
            self._glance = None
            return batch, status, True
        return batch, status, not at_end

    def _look_ahead(self, events: list[Event]) -> None:
        from workbench.runs.series import Series

        seen = Series()
        seen.feed(events)
        self._glance = seen
        self.step = next((event for event in reversed(events) if event["kind"] == "step"), {})
        self.evaluated = next((event for event in reversed(events) if event["kind"] == "evaluated"), {})

    def take(self, batch: list[Event], status: RunStatus) -> None:
        """Take in what was read."""
        self.status = status
        self._series.feed(batch)
        for event in batch:
            match event["kind"]:
                case "started":
                    self.started = event
                    self.remarks.clear()  # what an earlier attempt was told
                    kept = event.get("resumed_from") or 0
                    self.samples = [sample for sample in self.samples if sample["step"] <= kept]
                case "step" if self._is_news(event, self.step):
                    self.step = event
                case "evaluated" if self._is_news(event, self.evaluated):
                    self.evaluated = event
                case "sample":
                    self.samples.append(event)
                case "warning":
                    self.remarks.append(str(event.get("message", "")))
                case "command":
                    done = "done" if event.get("acknowledged", True) else "refused"
                    self.remarks.append(f"{event.get('name')}: {event.get('reason') or done}")

    def _is_news(self, event: Event, known: Event) -> bool:
        """While a long log is read, its end has been seen already."""
        return self._glance is None or event["step"] >= known.get("step", 0)

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
