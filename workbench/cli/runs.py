"""List runs, newest first, with their state and last numbers."""

import argparse
from pathlib import Path

from workbench.cli.arguments import add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`runs [PROJECT] [--json]`."""
    parser.add_argument(
        "project",
        type=Path,
        nargs="?",
        default=Path("projects"),
        metavar="PROJECT",
        help="a project, or a folder of projects (default: ./projects)",
    )
    add_json(parser, "print a list of runs")


def run(args: argparse.Namespace) -> int:
    """Print one line a run."""
    from workbench.cli.console import note, out, write_json
    from workbench.cli.follow import as_row
    from workbench.project.store import find_projects
    from workbench.runs.folder import list_runs
    from workbench.runs.status import read_status

    projects = find_projects(args.project)
    found = [(project, each, read_status(each)) for project in projects for each in list_runs(project)]
    if args.json:
        write_json(
            [
                {"id": each.id, "project": str(project), "folder": str(each.folder)} | as_row(status)
                for project, each, status in found
            ],
            indent=2,
        )
        return 0
    if not found:
        note(f"no runs yet in {args.project}; workbench train PROJECT starts one")
        return 0
    out.print(_table(found))
    return 0


def _table(found: list) -> object:  # type: ignore[type-arg]
    from rich.table import Table

    from workbench.ui.text import shown

    table = Table(box=None, pad_edge=False)
    for title in ("run", "project", "state", "step", "loss", "validation loss"):
        table.add_column(
            title, justify="right" if title in ("step", "loss", "validation loss") else "left", no_wrap=True
        )
    for project, each, status in found:
        table.add_row(
            shown(each.id),
            shown(project.name),
            status.state.value,
            f"{status.step}/{status.total_steps or '?'}",
            _figure(status.loss),
            _figure(status.validation_loss),
        )
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
