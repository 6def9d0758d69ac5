"""Where an evaluation stands: RUNNING is the lock, all else is what its log says."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock

from workbench.evaluation.folder import Evaluation
from workbench.runs.events import Event, EventTail
from workbench.runs.lock import is_held
from workbench.runs.status import State

_REMEMBERED = 200
_ENDS = (State.FINISHED.value, State.STOPPED.value)


@dataclass(frozen=True, slots=True)
class EvaluationStatus:
    """Where an evaluation stands.

    Attributes:
        state: new, running, finished, stopped, failed or killed.
        phase: what is being done: `starting`, `rows`, `loading`, `perplexity`, `answers`, `labels`; empty
            after the end.
        contestant: number of the one under way, from 0; None between them and after the end.
        done, total: rows of all measures of all contestants; `total` is 0 before it is known.
        eta_seconds: time left; None unless it is running and every measure to come was timed.
        reason: why it ended, where that needs saying.
        warnings: what a reader of the figures has to know, oldest first.
        skipped: contestants that are left out, by number, with the reason.
        device: where it computes, such as `cuda:0 bf16`; empty before the first model is loaded.
    """

    state: State
    phase: str = ""
    contestant: int | None = None
    done: int = 0
    total: int = 0
    eta_seconds: float | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    skipped: dict[int, str] = field(default_factory=dict)
    device: str = ""

    @property
    def going(self) -> bool:
        """A living process holds its lock."""
        return self.state is State.RUNNING


def read_status(evaluation: Evaluation) -> EvaluationStatus:
    """The status now. Reads only what was logged since the last call for the same evaluation."""
    # In this order: when the lock is free, the log has its last word
    held = is_held(evaluation)
    log = _log_of(evaluation.events)
    with log.lock:
        log.catch_up()
        return log.status(held)


@lru_cache(maxsize=_REMEMBERED)
def _log_of(path: Path) -> "_Log":
    return _Log(path)


class _Log:
    """What counts of the events, kept up to date by reading the new ones."""

    def __init__(self, path: Path) -> None:
        self.lock = Lock()
        self._tail = EventTail(path)
        self._any = False
        self._begin()

    def _begin(self) -> None:
        """An attempt begins: what an earlier one warned of does not count any more."""
        self._now: Event = {}
        self._ended: Event | None = None
        self._warnings: list[str] = []
        self._skipped: dict[int, str] = {}
        self._device = ""

    def catch_up(self) -> None:
        while events := self._tail.read(max_records=10_000, max_seconds=1):
            for event in events:
                self._fold(event)

    def _fold(self, event: Event) -> None:
        self._any = True
        match event["kind"]:
            case "began":
                self._begin()
            case "progress":
                self._now, self._ended = event, None
            case "loaded":
                self._device = f"{event.get('device')} {event.get('dtype')}"
            case "warning":
                self._warnings.append(str(event.get("message")))
            case "skipped":
                self._skipped[int(event["contestant"])] = str(event.get("reason"))
            case "ended":
                self._ended = event

    def status(self, held: bool) -> EvaluationStatus:
        state, reason = self._state(held)
        contestant, eta = self._now.get("contestant"), self._now.get("eta_seconds")
        return EvaluationStatus(
            state=state,
            phase=str(self._now.get("phase", "starting")) if held else "",
            contestant=contestant if held and isinstance(contestant, int) else None,
            done=int(self._now.get("done", 0)),
            total=int(self._now.get("total", 0)),
            eta_seconds=float(eta) if held and isinstance(eta, int | float) else None,
            reason=reason,
            warnings=tuple(self._warnings),
            skipped=dict(self._skipped),
            device=self._device,
        )

    def _state(self, held: bool) -> tuple[State, str]:
        if held:
            return State.RUNNING, ""
        if self._ended is not None:
            named = str(self._ended.get("state"))
            return (State(named) if named in _ENDS else State.FAILED), str(self._ended.get("reason") or "")
        if self._any:
            return State.KILLED, "its process ended without a word: killed, out of memory, or a crash"
        return State.NEW, ""
