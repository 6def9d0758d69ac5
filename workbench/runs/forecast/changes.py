"""Settings that would need less memory, each with what it saves: computed, never guessed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from workbench.project.remarks import with_changes
from workbench.project.schema import Project
from workbench.project.training import TrainingSettings
from workbench.prompts.survey.statistics import Statistics
from workbench.runs.forecast.memory import Memory

Forecast = Callable[[Project], Memory]
"""The forecast of other settings for the same project and box."""

_SHORTER = (99, 95, 90)
_LEAST_SAVED = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """One way to need less.

    Attributes:
        name: in words.
        overrides: dotted key to value.
        saved: bytes of the peak.
        cost: what it costs; empty where it costs nothing but time.
    """

    name: str
    overrides: dict[str, Any]
    saved: int
    cost: str = ""


def helping_changes(
    settings: Project, forecast: Forecast, statistics: Statistics | None, *, four_bits: bool = True
) -> list[Change]:
    """Every change that saves at least a hundredth of the peak, in the order in which one would try them:
    first what changes nothing in the result, last what leaves rows out.

    Args:
        four_bits: this base model can be held in nf4 on this machine.
    """
    now = forecast(settings).total
    found = [
        Change(name, overrides, now - forecast(with_changes(settings, overrides)).total, cost)
        for name, overrides, cost in _candidates(settings, statistics)
        if four_bits or "model.quantization" not in overrides
    ]
    return [change for change in found if change.saved >= now * _LEAST_SAVED]


def enough(settings: Project, changes: list[Change], forecast: Forecast, room: int) -> list[Change]:
    """The first changes of the list that together need no more than `room`; all of those without a cost to
    the data when even they are too much. Halved micro-batches are halved again as often as it takes."""
    taken: list[Change] = []
    overrides: dict[str, Any] = {}
    for change in changes:
        if forecast(with_changes(settings, overrides)).high <= room:
            break
        if change.overrides.keys() & overrides.keys():
            continue
        overrides |= change.overrides
        taken.append(change)
    while forecast(with_changes(settings, overrides)).high > room:
        training = with_changes(settings, overrides).training
        if training.per_device_train_batch_size < 2:
            break
        halved = _halved(training)
        overrides |= halved
        taken = [each for each in taken if not each.overrides.keys() & halved.keys()]
        size = halved["training.per_device_train_batch_size"]
        saved = forecast(settings).total - forecast(with_changes(settings, halved)).total
        taken.insert(0, Change(f"micro-batch {size}, the same effective batch", halved, saved))
    return taken


def _halved(training: TrainingSettings) -> dict[str, Any]:
    """Half the micro-batch, twice the accumulation; of an odd one the effective batch never gets smaller."""
    size = training.per_device_train_batch_size
    total = size * training.gradient_accumulation_steps
    half = size // 2
    return {
        "training.per_device_train_batch_size": half,
        "training.gradient_accumulation_steps": -(-total // half),
    }


def _candidates(
    settings: Project, statistics: Statistics | None
) -> Iterable[tuple[str, dict[str, Any], str]]:
    training = settings.training
    if training.per_device_train_batch_size > 1:
        halved = _halved(training)
        name = f"micro-batch {halved['training.per_device_train_batch_size']}, the same effective batch"
        yield name, halved, ""
    if training.packing == "none":
        yield "rows end to end instead of padded", {"training.packing": "batch"}, ""
    if training.packing == "bfd":
        cost = "an effective batch of examples, not of packed rows"
        yield "rows as they are instead of packed", {"training.packing": "batch"}, cost
    if not training.gradient_checkpointing:
        yield "gradient checkpointing", {"training.gradient_checkpointing": True}, "about a fifth slower"
    if training.optim in ("adamw_torch", "adamw_torch_fused", "paged_adamw_32bit"):
        yield "8-bit AdamW", {"training.optim": "adamw_8bit"}, ""
    if training.method == "full":
        yield "an adapter instead of all weights", {"training.method": "lora"}, "learns less from much data"
    if settings.model.quantization != "nf4":
        overrides = {"model.quantization": "nf4"}
        if training.method == "full":
            overrides["training.method"] = "lora"
        name = "4-bit weights and an adapter" if training.method == "full" else "4-bit weights"
        yield name, overrides, "the base model is a little less exact"
    yield from _shorter(settings, statistics)


def _shorter(settings: Project, statistics: Statistics | None) -> Iterable[tuple[str, dict[str, Any], str]]:
    """A smaller `data.max_tokens`, at percentiles of the rows that are trained."""
    data = settings.data
    side = statistics.sides.get("train") if statistics else None
    if side is None or statistics is None or not statistics.train_lengths:
        return
    lengths = sorted(min(each, data.max_tokens) for each in statistics.train_lengths)
    seen: set[int] = set()
    for percentile in _SHORTER:
        limit = max(8, lengths[max(0, -(-percentile * len(lengths) // 100) - 1)])
        over = sum(each > limit for each in lengths)
        if not over or limit in seen:
            continue
        seen.add(limit)
        rows = max(1, round(side.rows * over / len(lengths)))
        fate = "cut" if data.overlong == "truncate" else "left out"
        about = "" if len(lengths) == side.rows else "about "
        cost = f"{about}{rows:,} of {side.rows:,} training rows {fate}"
        overrides: dict[str, Any] = {"data.max_tokens": limit}
        if data.overlong == "error":
            overrides["data.overlong"] = "drop"
        yield f"rows of at most {limit:,} tokens", overrides, cost
