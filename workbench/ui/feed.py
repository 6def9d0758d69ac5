"""What the train pane knows of one run: read from its event log in slices."""

from threading import Lock
from typing import TYPE_CHECKING

from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, read_status

if TYPE_CHECKING:
    pass


class RunFeed:
    """One run as it goes on; `poll` is called from a worker thread.

    Attributes:
        series: the curves so far.
        status: as of the last poll.
        step: the last step event; empty before the first.
        evaluated: the last validation event; empty before the first.
        remarks: warnings and acknowledged commands, oldest first.
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
        self.busy = Lock()
        self._tail = EventTail(run.events)

    def poll(self) -> bool:
        """Read one slice of the log; True when there was something new."""
        batch = self._tail.read()
        self.status = read_status(self.run)
        self.series.feed(batch)
        for event in batch:
            match event["kind"]:
                case "step":
                    self.step = event
                case "evaluated":
                    self.evaluated = event
                case "warning":
                    self.remarks.append(str(event["message"]))
                case "command":
                    self.remarks.append(f"{event['name']}: {event.get('reason') or 'done'}")
        return bool(batch)
