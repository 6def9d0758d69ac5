"""Follow an evaluation in the terminal: a bar with what it is at and how long it takes, or a line a phase."""

import time
from contextlib import nullcontext
from datetime import timedelta

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from workbench.cli.console import err, note
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.jobs import read_plan
from workbench.evaluation.status import EvaluationStatus, read_status
from workbench.runs.status import State
from workbench.ui.text import clean

POLL_SECONDS = 0.25


def follow(evaluation: Evaluation, *, again: str) -> int | None:
    """Wait until it ends: exit code 0 when it finished or was stopped, 1 when it failed.

    Ctrl+C stops the watching, never the evaluation: None then, after saying that `again` shows it.
    """
    try:
        status = _follow(evaluation)
    except KeyboardInterrupt:
        note(f"\nleft running: {evaluation.id}\n  {again}\n  {again} --stop")
        return None
    verdict = f"{evaluation.id}: {status.state.value}"
    note(f"{verdict}, {status.reason}" if status.reason else verdict)
    if status.state in (State.FAILED, State.KILLED):
        note(f"its log: {evaluation.console}")
        return 1
    return 0


def _follow(evaluation: Evaluation) -> EvaluationStatus:
    names = [contestant.name for contestant in read_plan(evaluation).contestants]
    bar = _Bar() if err.is_interactive else None
    told = ""
    with bar or nullcontext():
        while True:
            status = read_status(evaluation)
            if not status.going:
                return status
            doing = _doing(status, names)
            if bar:
                bar.show(status, doing)
            elif doing != told:
                told = doing
                note(doing)
            time.sleep(POLL_SECONDS)


def _doing(status: EvaluationStatus, names: list[str]) -> str:
    whose = "" if status.contestant is None else f" of {names[status.contestant]}"
    return f"{status.phase or 'starting'}{whose}"


class _Bar(Progress):
    """One bar on stderr."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}", markup=False, table_column=Column(min_width=18, no_wrap=True)),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
            console=err,
            refresh_per_second=4,
        )
        self._task = self.add_task("starting", total=None, figures="")

    def show(self, status: EvaluationStatus, doing: str) -> None:
        """Take in where it stands."""
        left = status.eta_seconds
        eta = "" if left is None else f"  {timedelta(seconds=round(left))} left"
        self.update(
            self._task,
            description=clean(doing),
            total=status.total or None,
            completed=status.done,
            figures=f"{status.done:,}/{status.total:,}{eta}" if status.total else "",
        )
