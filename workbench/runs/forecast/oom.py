"""A run that ended for want of memory: which changes would save how much, computed from this very run."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from workbench.errors import WorkbenchError, fault
from workbench.project.remarks import with_changes
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.prompts.survey.statistics import Statistics
from workbench.prompts.survey.survey import survey_cached
from workbench.runs.events import Event, EventTail
from workbench.runs.folder import Run, read_spec
from workbench.runs.forecast.batch import Batch, largest_batch
from workbench.runs.forecast.capacity import Capacity
from workbench.runs.forecast.changes import Change, enough, helping_changes
from workbench.runs.forecast.estimate import Forecaster, forecaster, four_bits
from workbench.runs.forecast.memory import Memory, room

_RAN_OUT = 1.02
"""What ran out needed more than there was: at least so much, as long as the forecast says less."""


@dataclass(frozen=True, slots=True)
class OomCard:
    """What is known of such a run.

    Attributes:
        run: the run.
        micro_batch: examples at a time when memory ran out for the last time.
        tokens: of that micro-batch; 0 when something else did not fit.
        room: bytes that it could have had.
        memory: the forecast for that micro-batch, raised to what it must have needed.
        changes: what helps, each by itself.
        plan: those of them that together make it fit.
        fits: whether the plan is enough, as far as can be computed.
        overrides: settings of the changed run that differ from this one's.
    """

    run: Run
    micro_batch: int
    tokens: int
    room: int
    memory: Memory
    changes: list[Change]
    plan: list[Change]
    fits: bool
    overrides: dict[str, Any]


def ran_out(run: Run) -> Event | None:
    """The event of a run that ended for want of memory; None for any other run, and while it goes on."""
    return _story(run).get("oom")


def oom_card(run: Run) -> OomCard | None:
    """The card of a run; None when it did not end for want of memory. Reads its log and headers of its model.

    Raises:
        WorkbenchError: its spec or its base model cannot be read.
    """
    story = _story(run)
    if (oom := story.get("oom")) is None:
        return None
    project = read_spec(run).open_project()
    micro, accumulated = max(1, int(oom["micro_batch"])), max(1, int(oom["accumulation"]))
    reached = {
        "training.per_device_train_batch_size": micro,
        "training.gradient_accumulation_steps": accumulated,
    }
    settings = with_changes(project.settings, reached)
    capacity = _capacity(oom, story)
    statistics = _statistics(project)
    made = forecaster(replace(project, settings=settings), capacity, statistics)
    seen, room_then = int(oom["tokens"]), room(capacity)
    scale = seen / largest_batch(settings, statistics).tokens if seen else 1.0
    forecast = partial(_forecast, made, scale)
    plain = forecast(settings)
    needed = max(plain.total, round(room_then * _RAN_OUT))
    factor = (needed - plain.exact) / max(plain.estimated, 1)

    def calibrated(other: Project) -> Memory:
        return forecast(other).corrected(factor, 0.05, "computed from this run")

    fits = four_bits(made.shape, capacity)
    changes = helping_changes(settings, calibrated, statistics, four_bits=fits)
    plan = enough(settings, changes, calibrated, room_then)
    overrides = {key: value for change in plan for key, value in change.overrides.items()}
    before = project.settings.model_dump()
    laid = reached | overrides
    return OomCard(
        run=run,
        micro_batch=micro,
        tokens=seen,
        room=room_then,
        memory=calibrated(settings),
        changes=changes,
        plan=plan,
        fits=calibrated(with_changes(settings, overrides)).high <= room_then,
        overrides={key: value for key, value in laid.items() if _at(before, key) != value},
    )


def changed_project(card: OomCard) -> OpenProject:
    """The project as the run had it, with the plan of its card laid in: what `launch.start` starts.

    Raises:
        WorkbenchError: nothing that is known would make it fit.
    """
    if not card.plan:
        hint = "take a smaller base model, or a machine with more memory"
        raise fault("no setting is known that would save enough memory", card.run.id, hint)
    project = read_spec(card.run).open_project()
    return replace(
        project,
        settings=with_changes(project.settings, card.overrides),
        overrides=project.overrides | card.overrides,
    )


def _story(run: Run) -> dict[str, Event]:
    """The last event of each kind that matters; `oom` only when it is final and nothing was started since."""
    found: dict[str, Event] = {}
    tail = EventTail(run.events)
    while batch := tail.read():
        for event in batch:
            match event["kind"]:
                case "started" | "step":
                    found.pop("oom", None)
                    found[event["kind"]] = event
                case "memory":
                    found["memory"] = event
                case "oom" if event.get("answer") == "none" and _complete(event):
                    found["oom"] = event
    return found


def _complete(event: Event) -> bool:
    names = ("micro_batch", "accumulation", "tokens", "peak_bytes", "capacity_bytes")
    return all(type(event.get(name)) is int for name in names)


def _capacity(oom: Event, story: dict[str, Event]) -> Capacity:
    """All memory of the device of the run, which need not be this machine's."""
    started, memory = story.get("started", {}), story.get("memory", {})
    name = str(started.get("device", "host"))
    # The longest rows are tried, and the model is loaded, before anything but the event itself names a device
    device = oom.get("device") or memory.get("device") or name
    host = str(device).startswith(("CPU", "host"))
    total = int(oom["capacity_bytes"])
    return Capacity("host" if host else "cuda:0", name, total, total, started.get("precision") == "bf16")


def _statistics(project: OpenProject) -> Statistics | None:
    """Of the last look at the same rows, if it was kept: every run has one before it starts."""
    try:
        found = survey_cached(project)
    except WorkbenchError:
        return None
    return found.statistics if found else None


def _forecast(made: Forecaster, scale: float, settings: Project) -> Memory:
    """With micro-batches as much larger or smaller than computed as the one was that did not fit."""
    batch = largest_batch(settings, made.statistics)
    seen = Batch(
        batch.rows,
        max(1, round(batch.tokens * scale)),
        max(1, round(batch.trained * scale)),
        batch.longest,
        batch.padded,
        measured=True,
    )
    return made.of_batch(settings, seen)


def _at(settings: dict[str, Any], key: str) -> Any:
    table, name = key.split(".", 1)
    return settings[table][name]
