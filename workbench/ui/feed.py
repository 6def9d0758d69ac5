"""What the train pane knows of one run: read from its event log in slices."""

from threading import Lock

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, read_status


class RunFeed:
    """One run as it goes on: `read` belongs to a worker thread, `take` and what it changes to the event loop.

    Attributes:
        series: the curves so far.
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
        self.series: Series = Series()
        self.status: RunStatus = read_status(run)
        self.step: Event = {}
        self.evaluated: Event = {}
        self.remarks: list[str] = []
        self.samples: list[Event] = []
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
                    self.remarks.clear()  # what an earlier attempt was told
                    kept = event.get("resumed_from") or 0
                    self.samples = [sample for sample in self.samples if sample["step"] <= kept]
                case "step":
                    self.step = event
                case "evaluated":
                    self.evaluated = event
                case "sample":
                    self.samples.append(event)
                case "warning":
                    self.remarks.append(str(event.get("message", "")))
                case "command":
                    done = "done" if event.get("acknowledged", True) else "refused"
                    self.remarks.append(f"{event.get('name')}: {event.get('reason') or done}")
