"""Follow a run's event log in the terminal: a bar with its numbers, or lines, or JSON lines."""

import time
from contextlib import nullcontext
from datetime import timedelta

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from workbench.cli.console import err, note, write_json
from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, State, read_status
from workbench.runs.verdict.facts import judge_run
from workbench.ui.text import clean

POLL_SECONDS = 0.25


def follow(run: Run, *, as_json: bool, since: float = 0.0) -> int:
    """Show the events of `run` until it ends; exit code 0 when it finished or was stopped, 1 when it failed.

    Ctrl+C, or a reader of our output that goes away, stops the watching, never the run.

    Args:
        run: a run that was started.
        as_json: write each event as a JSON line on stdout.
        since: leave out what was logged before, in seconds since 1970: earlier attempts.
    """
    try:
        status = _follow(run, as_json, since)
    except (KeyboardInterrupt, BrokenPipeError) as reason:
        note(f"\nleft running: {run.id}\n  workbench watch {run.folder}\n  workbench stop {run.folder}")
        if isinstance(reason, BrokenPipeError):
            raise
        return 0
    if status.state is State.FINISHED and not as_json:
        note(f"verdict: {judge_run(run).line}")
    ended = f"{run.id}: {status.state.value}"
    note(f"{ended}, {status.reason}" if status.reason else ended)
    if status.state in (State.FAILED, State.KILLED):
        note(f"its log: {run.console}")
        return 1
    return 0


def _follow(run: Run, as_json: bool, since: float) -> RunStatus:
    bar = _Bar() if err.is_interactive and not as_json else None
    tail = EventTail(run.events)
    with bar or nullcontext():
        while True:
            # In this order: what is over has its last event in the log
            status = read_status(run)
            batch = tail.read()
            news = [event for event in batch if event["time"] >= since]
            for event in news:
                if as_json:
                    write_json(event)
                elif (line := _line(event, steps=bar is None)) is not None:
                    note(line)
            if bar:
                bar.show(status, news)
            if not batch:
                if not status.going:
                    return status
                time.sleep(POLL_SECONDS)


def _line(event: Event, *, steps: bool) -> str | None:
    """An event in one line; None for what a bar shows better, unless `steps` are wanted."""
    match event["kind"]:
        case "preparing" if steps and not event.get("done"):
            return str(event.get("phase", ""))
        case "step" if steps:
            return f"step {event['step']}  {_figures(event)}"
        case "evaluated":
            return f"step {event['step']}  {_figures(event)}"
        case "checkpoint":
            return f"step {event['step']}  checkpoint{' (best so far)' if event.get('best') else ''}"
        case "sample":
            ended = "" if event.get("stopped") else "…"
            asked, said = event.get("prompt", ""), event.get("answer", "")
            return f"step {event['step']}  row {event.get('row')} asked: {asked}\n  said: {said}{ended}"
        case "paused":
            return f"step {event['step']}  paused"
        case "continued":
            return f"step {event['step']}  goes on after {event.get('seconds', 0):.0f} s"
        case "oom":
            return f"step {event['step']}  {out_of_memory(event)}"
        case "warning":
            return f"warning: {event.get('message', '')}"
        case "command":
            answer = "taken up" if event.get("acknowledged") else "refused"
            reason = f", {event['reason']}" if event.get("reason") else ""
            return f"{event.get('name', '')}: {answer}{reason}"
    return None


def out_of_memory(event: Event) -> str:
    """What an `oom` event says."""
    if event.get("answer") != "halved":
        return "out of memory"
    batch, accumulation = event.get("micro_batch"), event.get("accumulation")
    return (
        f"out of memory with micro-batch {batch}, accumulation {accumulation}: halved; "
        "the effective batch stays"
    )


_FIGURES = {
    "loss": "loss {:.4f}",
    "validation_loss": "validation loss {:.4f}",
    "token_accuracy": "tokens right {:.1%}",
    "learning_rate": "lr {:.2e}",
    "tokens_per_second": "{:,.0f} tok/s",
}


def _figures(event: Event) -> str:
    """The numbers of a step or of a validation."""
    return "  ".join(
        form.format(event[name])
        for name, form in _FIGURES.items()
        if isinstance(event.get(name), int | float)
    )


class JobBar(Progress):
    """One bar on stderr: what is done, how far it is, and figures behind it."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}", markup=False, table_column=Column(min_width=18, no_wrap=True)),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
            console=err,
            refresh_per_second=4,
        )
        self._task: TaskID = self.add_task("starting", total=None, figures="")


class _Bar(JobBar):
    """What is prepared, then the steps."""

    _step = ""

    def show(self, status: RunStatus, news: list[Event]) -> None:
        """Take in where the run stands, and what happened since the last call."""
        for event in news:
            if event["kind"] == "step":
                self._step = _figures(event)
            elif event["kind"] == "preparing":
                self._step = ""
                self.update(
                    self._task,
                    description=clean(str(event.get("phase", ""))),
                    total=event.get("total") or None,
                    completed=event.get("done") or 0,
                    figures="",
                )
        if status.total_steps and not status.phase:
            left = status.eta_seconds
            eta = "" if left is None else f"{timedelta(seconds=round(left))} left  "
            self.update(
                self._task,
                description=f"step {status.step}/{status.total_steps}"
                + (" paused" if status.state is State.PAUSED else ""),
                total=status.total_steps,
                completed=status.step,
                figures=f"{eta}{self._step}",
            )
