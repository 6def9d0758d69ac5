"""What the train pane knows of one run: read from its event log in slices."""

from threading import Lock
from typing import TYPE_CHECKING

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.glance import glance
from workbench.runs.status import RunStatus, read_status

if TYPE_CHECKING:
    from workbench.runs.series import Series


class RunFeed:
    """One run as it goes on: `read` belongs to a worker thread, `take` and what it changes to the event loop.

    Of a long log the curves are seen at a glance first, and replaced once all of it is read.

    Attributes:
        status: as of the last `take`.
        step: the last step event; empty before the first.
        evaluated: the last validation event; empty before the first.
        remarks: warnings and acknowledged commands, oldest first.
        samples: answers of the model while it trained, oldest first.
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
        self.remarks: list[str] = []
        self.samples: list[Event] = []
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
