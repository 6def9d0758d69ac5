"""One run: its state, what was changed, its curve in numbers, its checkpoints."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_run

if TYPE_CHECKING:
    from workbench.runs.events import Event
    from workbench.runs.folder import Run
    from workbench.runs.series import Series
    from workbench.runs.spec import Spec

METRICS = (
    "loss",
    "validation_loss",
    "token_accuracy",
    "validation_token_accuracy",
    "sequence_accuracy",
    "validation_sequence_accuracy",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
)

SAMPLES = 3
SAMPLE_CHARACTERS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`show RUN [--json]`."""
    add_run(parser)
    add_json(parser, "print everything as one JSON object, the whole curve included")


def run(args: argparse.Namespace) -> int:
    """Print one run."""
    from workbench.cli.console import busy, excerpt, out, say, write_json
    from workbench.cli.follow import out_of_memory
    from workbench.runs.checkpoints import list_checkpoints
    from workbench.runs.folder import find_run, read_spec
    from workbench.runs.status import read_status

    found = find_run(args.run)
    with busy("reading the log"):
        spec, status = read_spec(found), read_status(found)
        series, others = _history(found)
    samples = [event for event in others if event["kind"] == "sample"]
    checkpoints = list_checkpoints(found)
    if args.json:
        curves = {name: [array.tolist() for array in series.curve(name)] for name in METRICS}
        write_json(
            {"id": found.id, "folder": str(found.folder)}
            | asdict(status)
            | {
                "spec": spec.model_dump(mode="json"),
                "checkpoints": [
                    {"step": each.step, "folder": str(each.path), "bytes": each.bytes} for each in checkpoints
                ],
                "curves": curves,
                "samples": samples,
            },
            indent=2,
        )
        return 0
    say(f"run        {found.id}")
    say(f"folder     {found.folder}")
    say(f"state      {status.state.value}{f', {status.reason}' if status.reason else ''}")
    say(f"step       {status.step} of {status.total_steps or '?'}")
    say(f"base       {spec.base_model.name}, template {spec.template.name}")
    if changed := _changed(spec):
        say(f"with       {changed}")
    for checkpoint in checkpoints:
        best = "  (best)" if checkpoint.best else ""
        say(f"checkpoint step {checkpoint.step}, {checkpoint.bytes / 2**20:.1f} MiB{best}")
    for event in others:
        if event["kind"] == "oom":
            say(f"memory     after step {event['step']}: {out_of_memory(event)}")
    if waits := [event.get("seconds") or 0.0 for event in others if event["kind"] == "continued"]:
        say(f"paused     {len(waits)} times, {sum(waits):.0f} s together")
    for sample in samples[-SAMPLES:]:
        end = "" if sample.get("stopped") else "…"
        where = f"step {sample['step']}, row {sample.get('row')}"
        say(f"sample     {where}: {excerpt(str(sample.get('answer', '')), SAMPLE_CHARACTERS)}{end}")
    out.print(_numbers(series))
    return 0


def _changed(spec: "Spec") -> str:
    """What was laid over project.toml, as it is written on the command line."""
    layers = [f"--profile {spec.profile}"] if spec.profile else []
    return " ".join(layers + [f"--set {key}={value}" for key, value in spec.overrides.items()])


def _history(found: "Run") -> "tuple[Series, list[Event]]":
    """The curves, and what else is told of the run: samples, pauses, memory that ran out."""
    from workbench.runs.events import EventTail
    from workbench.runs.series import Series

    tail, series = EventTail(found.events), Series()
    others: list[Event] = []
    while batch := tail.read():
        series.feed(batch)
        others += [event for event in batch if event["kind"] in ("sample", "continued", "oom")]
    return series, others


def _numbers(series: "Series") -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("metric", "points", "first", "lowest", "highest", "last"):
        table.add_column(title, justify="left" if title == "metric" else "right", no_wrap=True)
    for name in METRICS:
        _, values = series.curve(name)
        if len(values):
            figures = (values[0], values.min(), values.max(), values[-1])
            table.add_row(name, str(len(values)), *(f"{value:.5g}" for value in figures))
    return table
