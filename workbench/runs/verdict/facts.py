"""A run's log read whole, and what its folder says that its curves do not."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run, read_spec
from workbench.runs.lock import is_held
from workbench.runs.series import Series
from workbench.runs.verdict.evidence import Facts
from workbench.runs.verdict.finding import Verdict
from workbench.runs.verdict.judge import judge


@dataclass
class Log:
    """What the event log of a run says.

    Attributes:
        series: the curves.
        started: the last `started` event; empty before the first.
        step: the last step event; empty before the first.
        others: samples, pauses, memory that ran out.
    """

    series: Series
    started: Event = field(default_factory=dict)
    step: Event = field(default_factory=dict)
    others: list[Event] = field(default_factory=list)

    def feed(self, batch: list[Event]) -> None:
        """Take in events in the order in which they were logged."""
        self.series.feed(batch)
        self.started = next((each for each in reversed(batch) if each["kind"] == "started"), self.started)
        self.step = next((each for each in reversed(batch) if each["kind"] == "step"), self.step)
        self.others += [each for each in batch if each["kind"] in ("sample", "continued", "oom")]


def read_log(run: Run) -> Log:
    """The log as far as it is written."""
    tail, log = EventTail(run.events), Log(Series())
    while batch := tail.read():
        log.feed(batch)
    return log


def facts_of(run: Run, started: Event, step: Event) -> Facts:
    """What is known of `run`; a spec that cannot be read leaves its part unknown."""
    accumulation = vocabulary = None
    try:
        spec = read_spec(run)
    except WorkbenchError:
        pass
    else:
        accumulation = spec.project.training.gradient_accumulation_steps
        vocabulary = _vocabulary(Path(spec.base_model.folder))
    return Facts(
        epochs_per_step=_epochs_per_step(started, step),
        accumulation=accumulation,
        vocabulary=vocabulary,
        checkpoints=tuple(checkpoint.step for checkpoint in list_checkpoints(run)),
        total_steps=_number(started.get("total_steps")) or 0,
        running=is_held(run),
    )


def judge_run(run: Run, log: Log | None = None) -> Verdict:
    """The verdict on a run; reads its log unless that was done."""
    log = log or read_log(run)
    return judge(log.series, facts_of(run, log.started, log.step))


def _epochs_per_step(started: Event, step: Event) -> float | None:
    """As the run counted, else effective batch / rows, where every row is one example."""
    epoch, number = step.get("epoch"), step.get("step")
    if isinstance(epoch, int | float) and isinstance(number, int) and number > 0 and 0 < epoch < float("inf"):
        return epoch / number
    batch, rows = _number(started.get("effective_batch")), _number(started.get("train_rows"))
    return batch / rows if batch and rows else None


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _vocabulary(folder: Path) -> int | None:
    """Of a base model whose files are here; models that also see pictures keep it with their text part."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        size = config.get("vocab_size") or config.get("text_config", {}).get("vocab_size")
    except (OSError, ValueError, AttributeError):
        return None
    return size if type(size) is int and size > 1 else None
