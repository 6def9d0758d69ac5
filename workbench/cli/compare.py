"""Runs side by side: settings that differ, figures, verdicts, notes. Warns when the runs
were not measured on the same validation rows."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json

if TYPE_CHECKING:
    from rich.table import Table

    from workbench.runs.compare import Comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`compare RUN RUN... [--metric M] [--json]`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's id, its folder, or `latest`")
    parser.add_argument(
        "--metric", default="", metavar="M", help="the best by it first (default: in the order named)"
    )
    add_json(parser, "print everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the comparison: in the order named, or by --metric the best run first."""
    from workbench.cli.console import busy, note, out, say, write_json
    from workbench.runs.compare import as_named, compare
    from workbench.runs.folder import find_run
    from workbench.ui.comparison import differences

    found = [find_run(each) for each in args.runs]
    with busy("reading the logs"):
        comparison = compare(found, args.metric)
    if not args.metric:
        comparison = as_named(comparison, found)
    if args.json:
        write_json(_plain(comparison), indent=2)
        return 0
    for number, each in enumerate(comparison.runs, 1):
        say(f"{number}  {each.run.id}  ({each.run.folder.parents[1].name}, {each.status.state.value})")
    say("")
    out.print(_figures(comparison))
    say("")
    if comparison.differences:
        out.print(differences(comparison))
    else:
        say("no setting is known to differ")
    for number, each in enumerate(comparison.runs, 1):
        say(f"\n{number}  {each.run.id}")
        for index, finding in enumerate(each.verdict.findings):
            say(f"   {each.verdict.line if index == 0 else finding}")
        for line in each.notes.strip().splitlines():
            say(f"   | {line}")
    for warning in comparison.warnings:
        note(f"warning: {warning}")
    return 0


def _figures(comparison: "Comparison") -> "Table":
    from rich.table import Table

    from workbench.ui.comparison import figure_cells

    table = Table(box=None, pad_edge=False)
    shown = list(dict.fromkeys((comparison.metric, "validation_loss", "loss")))
    for title in ("", "step", "epoch", *(f"{which} {name}" for name in shown for which in ("best", "last"))):
        table.add_column(title.replace("_", " "), justify="right")
    for number, each in enumerate(comparison.runs, 1):
        cells = [cell for name in shown for cell in figure_cells(each, name)]
        epoch = "" if each.epoch is None else f"{each.epoch:.2f}"
        table.add_row(str(number), f"{each.status.step}/{each.status.total_steps or '?'}", epoch, *cells)
    return table


def _plain(comparison: "Comparison") -> dict[str, Any]:
    return {
        "metric": comparison.metric,
        "warnings": comparison.warnings,
        "differences": comparison.differences,
        "runs": [
            {"id": each.run.id, "folder": str(each.run.folder), "epoch": each.epoch}
            | asdict(each.status)
            | {
                "figures": {name: asdict(figure) for name, figure in each.figures.items()},
                "verdict": [asdict(finding) for finding in each.verdict.findings],
                "notes": each.notes,
            }
            for each in comparison.runs
        ],
    }
