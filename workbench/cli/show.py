"""One run: its state, its verdict, what was changed, its curve in numbers, its checkpoints, its notes."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_run

if TYPE_CHECKING:
    from workbench.runs.series import Series
    from workbench.runs.spec import ImportedSpec, Spec

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
    from workbench.machine.gauges import gauges_now
    from workbench.runs.checkpoints import list_checkpoints
    from workbench.runs.folder import find_run, read_imported, read_spec
    from workbench.runs.notes import read_notes
    from workbench.runs.status import read_status
    from workbench.runs.verdict.facts import judge_run, read_log
    from workbench.ui.text import counted

    found = find_run(args.run)
    with busy("reading the log"):
        spec, status, log = read_imported(found) or read_spec(found), read_status(found), read_log(found)
        verdict = judge_run(found, log)
    samples = [event for event in log.others if event["kind"] == "sample"]
    series, notes, checkpoints = log.series, read_notes(found), list_checkpoints(found)
    if args.json:
        curves = {name: [array.tolist() for array in series.curve(name)] for name in METRICS}
        write_json(
            {"id": found.id, "folder": str(found.folder)}
            | asdict(status)
            | {
                "spec": spec.model_dump(mode="json"),
                "verdict": [asdict(finding) for finding in verdict.findings],
                "notes": notes,
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
    if taken := gauges_now(found):
        say(f"takes      {taken}")
    say(f"verdict    {verdict.line}")
    for finding in verdict.findings[1:]:
        say(f"           {finding}")
    for title, text in _made_from(spec):
        say(f"{title:<10} {text}")
    for checkpoint in checkpoints:
        best = "  (best)" if checkpoint.best else ""
        say(f"checkpoint step {checkpoint.step}, {checkpoint.bytes / 2**20:.1f} MiB{best}")
    for event in log.others:
        if event["kind"] == "oom":
            say(f"memory     after step {event['step']}: {out_of_memory(event)}")
    if waits := [event.get("seconds") or 0.0 for event in log.others if event["kind"] == "continued"]:
        say(f"paused     {counted(len(waits), 'time')}, {sum(waits):.0f} s together")
    for sample in samples[-SAMPLES:]:
        end = "" if sample.get("stopped") else "…"
        where = f"step {sample['step']}, row {sample.get('row')}"
        say(f"sample     {where}: {excerpt(str(sample.get('answer', '')), SAMPLE_CHARACTERS)}{end}")
    out.print(_numbers(series))
    if notes.strip():
        say(f"\n{notes.strip()}")
    return 0


def _made_from(spec: "Spec | ImportedSpec") -> list[tuple[str, str]]:
    """Titled lines: what a run was started with, or where it was imported from."""
    from workbench.runs.spec import ImportedSpec

    if isinstance(spec, ImportedSpec):
        origin = spec.imported
        lines = [("imported", f"{origin.format} {origin.file}, sha256 {origin.sha256[:12]}")]
        if spec.settings:
            lines.append(("told", ", ".join(f"{key} {value}" for key, value in spec.settings.items())))
        return lines + [("remark", remark) for remark in origin.remarks]
    lines = [("base", f"{spec.base_model.name}, template {spec.template.name}")]
    changed = _changed(spec)
    return [*lines, ("with", changed)] if changed else lines


def _changed(spec: "Spec") -> str:
    """What was laid over project.toml, as it is written on the command line."""
    layers = [f"--profile {spec.profile}"] if spec.profile else []
    return " ".join(layers + [f"--set {key}={value}" for key, value in spec.overrides.items()])


def _numbers(series: "Series") -> Any:
    import numpy as np
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("metric", "points", "first", "lowest", "highest", "last"):
        table.add_column(title, justify="left" if title == "metric" else "right", no_wrap=True)
    for name in METRICS:
        _, values = series.curve(name)
        if len(values) and not (np.isnan(values).all() and name not in ("loss", "validation_loss")):
            figures = (values[0], values.min(), values.max(), values[-1])
            table.add_row(name, str(len(values)), *(f"{value:.5g}" for value in figures))
    return table
