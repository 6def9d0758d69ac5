"""Follow a run's event log in the terminal: a bar with its numbers, or JSON lines."""

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from workbench.cli.console import err, note, write_json
from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, State, read_status
from workbench.ui.text import clean

POLL_SECONDS = 0.25


def follow(run: Run, *, as_json: bool) -> int:
    """Show the events of `run` until it ends; exit code 0 when it finished or was stopped, 1 when it failed.

    Ctrl+C stops the watching, never the run.
    """
    try:
        status = _follow(run, as_json)
    except KeyboardInterrupt:
        note(
            f"\nleft running: {run.id}\n"
            f"workbench watch {run.folder} follows it, workbench stop {run.folder} stops it"
        )
        return 0
    verdict = f"{run.id}: {status.state.value}"
    note(f"{verdict}, {status.reason}" if status.reason else verdict)
    if status.state in (State.FAILED, State.KILLED):
        note(f"its log: {run.console}")
        return 1
    return 0


def _follow(run: Run, as_json: bool) -> RunStatus:
    bar = _Bar() if not as_json and err.is_terminal else None
    with bar or nullcontext():
        for event in _events(run):
            if as_json:
                write_json(event)
            elif bar:
                bar.show(event)
            else:
                _write_line(event)
    return read_status(run)


def _events(run: Run) -> Iterator[Event]:
    """Every event of the run until nothing more can come: the lock is free and the log is read to its end."""
    tail = EventTail(run.events)
    while True:
        over = read_status(run).state is not State.RUNNING
        batch = tail.read()
        yield from batch
        if over and not batch:
            return
        if not batch:
            time.sleep(POLL_SECONDS)


def numbers(event: Event) -> str:
    """The figures of a step or a validation in one line."""
    names = {
        "loss": "loss {:.4f}",
        "validation_loss": "validation loss {:.4f}",
        "token_accuracy": "tokens right {:.1%}",
        "learning_rate": "lr {:.2e}",
        "tokens_per_second": "{:,.0f} tok/s",
    }
    return "  ".join(
        form.format(event[name]) for name, form in names.items() if isinstance(event.get(name), int | float)
    )


def _write_line(event: Event) -> None:
    """One line an event where nothing can be redrawn: a pipe, a log file."""
    match event["kind"]:
        case "step" | "evaluated":
            note(f"step {event['step']}  {numbers(event)}")
        case "checkpoint":
            note(f"checkpoint at step {event['step']}")
        case "warning":
            note(f"warning: {event['message']}")


class _Bar(Progress):
    """One bar: preparing, then steps; what deserves to stay is printed above it."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=err,
            refresh_per_second=4,
        )
        self.bar: TaskID = self.add_task("starting", total=1, figures="")

    def show(self, event: Event) -> None:
        """Take one event in."""
        match event["kind"]:
            case "preparing":
                self.update(
                    self.bar,
                    description=clean(str(event["phase"])),
                    total=event.get("total") or 1,
                    completed=event.get("done") or 0,
                )
            case "started":
                self.reset(
                    self.bar,
                    description="training",
                    total=event["total_steps"],
                    completed=event.get("resumed_from") or 0,
                )
            case "step":
                self.update(self.bar, completed=event["step"], figures=numbers(event))
            case "evaluated":
                note(f"step {event['step']}  {numbers(event)}")
            case "checkpoint":
                note(f"step {event['step']}  checkpoint{' (best so far)' if event.get('best') else ''}")
            case "warning":
                note(f"warning: {event['message']}")


def is_interactive() -> bool:
    """A person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def as_row(status: RunStatus) -> dict[str, Any]:
    """What `--json` says of a run's state."""
    return {name: getattr(status, name) for name in status.__dataclass_fields__} | {
        "state": status.state.value
    }
