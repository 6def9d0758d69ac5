"""What the worker of a queue wrote down, read on from where the last look ended."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock

from workbench.runs.events import Event, EventTail

_REMEMBERED_JOURNALS = 100


@dataclass(frozen=True, slots=True)
class Journal:
    """What counts of it.

    Attributes:
        entries: the last word on each entry.
        last: the last word at all; empty before the first.
        boot: the boot of the machine that the last worker began in; empty before the first.
    """

    entries: dict[int, Event] = field(default_factory=dict)
    last: Event = field(default_factory=dict)
    boot: str = ""

    @property
    def hindrance(self) -> str:
        """Why the worker waits instead of training; empty when it does not."""
        return str(self.last.get("reason") or "") if self.last.get("kind") == "pausing" else ""


def read_journal(path: Path) -> Journal:
    """The journal as it is now; an empty one where there is none."""
    return _reader(path).read()


@lru_cache(maxsize=_REMEMBERED_JOURNALS)
def _reader(path: Path) -> "_Reader":
    return _Reader(path)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._tail = EventTail(path)
        self._known, self._restarts = Journal(), 0

    def read(self) -> Journal:
        with self._lock:
            if not self._tail.path.exists():
                return Journal()
            events = self._tail.read(max_records=1_000_000, max_seconds=10)
            known = self._known if self._tail.restarts == self._restarts else Journal()
            if events:
                entries = known.entries | {e["entry"]: e for e in events if isinstance(e.get("entry"), int)}
                boots = [str(e.get("boot") or "") for e in events if e["kind"] == "working"]
                known = Journal(entries, events[-1], boots[-1] if boots else known.boot)
            self._known, self._restarts = known, self._tail.restarts
            return known
