"""What the worker of a queue wrote down last."""

from workbench.runs.events import EventTail
from workbench.runs.queue.entries import Queue


def hindrance(queue: Queue) -> str:
    """Why the worker waits instead of training; empty when it does not."""
    events = EventTail(queue.journal).read(max_records=1_000_000, max_seconds=10)
    last = events[-1] if events else {}
    return str(last.get("reason") or "") if last.get("kind") == "pausing" else ""
