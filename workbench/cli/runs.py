"""List runs, newest first, with their state and last numbers."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json

if TYPE_CHECKING:
    from rich.table import Table

    from workbench.runs.folder import Run
    from workbench.runs.status import RunStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`runs [PROJECT] [--json]`."""
    parser.add_argument(
        "project",
        type=Path,
        nargs="?",
        metavar="PROJECT",
        help="a project, or a folder of projects (default: ./projects, else the current folder)",
    )
    add_json(parser, "print a list of runs")


def run(args: argparse.Namespace) -> int:
    """Print one line a run."""
    from workbench.cli.console import note, out, write_json
    from workbench.errors import fault
    from workbench.project.store import find_projects
    from workbench.runs.folder import list_runs
    from workbench.runs.status import read_status

    folder = args.project or (Path("projects") if Path("projects").is_dir() else Path())
    if not folder.exists():
        raise fault("no such folder", folder)
    found = [
        (project, each, read_status(each))
        for project in find_projects(folder)
        for each in list_runs(project.absolute())
    ]
    if args.json:
        write_json(
            [
                {"id": each.id, "project": project.absolute().name, "folder": str(each.folder)}
                | asdict(status)
                for project, each, status in found
            ],
            indent=2,
        )
    elif found:
        out.print(_table(found))
    else:
        note(f"no runs yet in {folder.absolute()}; workbench train PROJECT starts one")
    return 0


def _table(found: "list[tuple[Path, Run, RunStatus]]") -> "Table":
    from rich.table import Table

    from workbench.ui.text import shown

    table = Table(box=None, pad_edge=False)
    for title in ("run", "project", "state"):
        table.add_column(title, no_wrap=True)
    for title in ("step", "loss", "validation loss"):
        table.add_column(title, no_wrap=True, justify="right")
    for project, each, status in found:
        table.add_row(
            shown(each.id),
            shown(project.absolute().name),
            status.state.value,
            f"{status.step}/{status.total_steps or '?'}",
            _figure(status.loss),
            _figure(status.validation_loss),
        )
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
