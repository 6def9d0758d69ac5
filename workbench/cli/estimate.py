"""What a run would need, before it starts: memory part by part, time, disk, and what would save how much.

The memory is the GPU's when there is one, else the host's. Exit code 1 when the run does not fit into what is
free. `--measure` takes two real steps and remembers what they took: later forecasts on this box are corrected
by that, and by what runs took.
"""

import argparse
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.runs.forecast.changes import Change
    from workbench.runs.forecast.disk import Disk
    from workbench.runs.forecast.estimate import Estimate
    from workbench.runs.forecast.speed import Duration

WIDTH = 72


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`estimate PROJECT [--profile P] [--set key=value]... [--measure] [--json]`."""
    add_project(parser)
    add_layers(parser, "training.per_device_train_batch_size=4")
    parser.add_argument("--measure", action="store_true", help="first take two real steps")
    add_json(parser, 'print {"memory", "capacity", "verdict", "changes", "duration", "disk", "measured"}')


def run(args: argparse.Namespace) -> int:
    """Print the forecast; measure first when asked to."""
    from workbench.cli.console import busy, note, write_json
    from workbench.cli.surveying import surveyed
    from workbench.machine.capacity import capacity
    from workbench.runs.forecast.estimate import TOO_MUCH, estimate, forecaster
    from workbench.runs.forecast.measure import run_measurement
    from workbench.runs.forecast.measurements import remembered

    project, box = opened(args), capacity()
    survey = surveyed(project) if project.settings.data.source else None
    measured: dict[str, Any] | None = None
    if args.measure:
        made = forecaster(project, box, survey.statistics if survey else None)
        with busy("two steps on the longest rows"):
            result, forecast = run_measurement(project, made)
        measured = {
            "peak_bytes": result.peak_bytes,
            "forecast_bytes": forecast.total,
            "error": result.error,
            "tokens_per_second": result.tokens_per_second,
        }
    found = estimate(project, box, survey, remembered())
    if args.json:
        write_json(as_json(found) | {"measured": measured}, indent=2)
    else:
        _print(found)
        if measured:
            from workbench.ui.widgets.memory_bar import size

            note(
                f"measured: {size(measured['peak_bytes'])}; the formulae alone said "
                f"{size(measured['forecast_bytes'])} for that batch ({measured['error']:+.0%})"
            )
    return 1 if found.verdict == TOO_MUCH else 0


def as_json(found: "Estimate") -> dict[str, Any]:
    """Everything as plain values, sizes in bytes."""
    from dataclasses import asdict

    memory, duration, disk = found.memory, found.duration, found.disk
    return {
        "memory": asdict(memory)
        | {"total": memory.total, "low": memory.low, "high": memory.high, "largest": memory.largest},
        "capacity": asdict(found.capacity) | {"room": found.room},
        "verdict": found.verdict,
        "changes": [asdict(change) for change in found.changes],
        "plan": [change.name for change in found.plan],
        "duration": asdict(duration) | {"seconds": duration.seconds},
        "disk": asdict(disk) | {"total": disk.total},
    }


def _print(found: "Estimate") -> None:
    from workbench.cli.console import out, say
    from workbench.ui.widgets.memory_bar import LETTERS, in_words, size, stacked

    memory = found.memory
    out.print(in_words(memory, found.room, found.verdict), soft_wrap=True)
    out.print(stacked(memory.parts, found.room, WIDTH), soft_wrap=True)
    for name, value in memory.parts.items():
        say(f"  {LETTERS[name][0]} {name:<12}{size(value):>10}  {value / max(memory.total, 1):>4.0%}")
    batch = memory.batch
    about = "the longest rows" if batch.measured else "rows of data.max_tokens"
    say(
        f"  at its peak ({memory.moment}), {memory.precision}, {batch.rows} x {about}: {batch.tokens:,} "
        f"tokens, {batch.trained:,} trained; {memory.trainable:,} of {memory.parameters:,} parameters train"
    )
    what = "GPU " + found.capacity.name if found.capacity.device != "host" else "host memory, no GPU"
    say(f"  {what}: {size(found.capacity.total)}, {size(found.room)} free")
    say(f"  range +-{memory.uncertainty:.0%}: {memory.remark or 'nothing like it was measured on this box'}")
    for line in change_lines(found.changes):
        say(line)
    if found.plan:
        say(f"to make it fit: {', '.join(change.name for change in found.plan)}")
        say(" ".join(f"--set {key}={value}" for each in found.plan for key, value in each.overrides.items()))
    say(duration_line(found.duration))
    say(disk_line(found.disk))


def change_lines(changes: "list[Change]") -> list[str]:
    """What would save memory, one a line."""
    from workbench.ui.widgets.memory_bar import size

    lines = [
        f"  -{size(change.saved):>9}  {change.name}" + (f" ({change.cost})" if change.cost else "")
        for change in changes
    ]
    return ["each by itself would save:", *lines] if lines else []


def duration_line(duration: "Duration") -> str:
    """Steps, tokens, time."""
    from workbench.ui.run_figures import clock

    if duration.steps is None or duration.tokens is None:
        return "time: unknown, no rows to count"
    told = f"time: {duration.steps:,} steps, {duration.tokens:,} tokens"
    if duration.seconds is None:
        return f"{told}, unknown until measured (--measure, or a first run)"
    return (
        f"{told}, about {clock(duration.seconds)} at {duration.tokens_per_second:,.0f} tokens/s "
        f"({duration.measured_by}), without validation and checkpoints"
    )


def disk_line(disk: "Disk") -> str:
    """Checkpoints and what is free."""
    from workbench.ui.widgets.memory_bar import size

    verdict = "fits" if disk.total <= disk.free else "DOES NOT FIT"
    return (
        f"disk: {disk.kept} checkpoints of {size(disk.checkpoint)} at most, {size(disk.total)} of "
        f"{size(disk.free)} free: {verdict}"
    )
