"""A report to hand on: Markdown with its pictures, and one HTML file that needs nothing beside it.

Of a run, of a sweep, or of the project: settings that were changed, data, curves, verdicts with their rules,
evaluations, samples, notes.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_project

if TYPE_CHECKING:
    from workbench.project.store import OpenProject
    from workbench.reports.document import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`report PROJECT [--run RUN | --sweep ID] [--to FOLDER] [--replace] [--json]`."""
    add_project(parser)
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument(
        "--run", metavar="RUN", default="", help="of this run: its id, its folder, or `latest`"
    )
    subject.add_argument(
        "--sweep",
        metavar="ID",
        help="of this sweep, or of the `latest`; without --run and --sweep of the project",
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where it goes (default: PROJECT/reports)")
    parser.add_argument(
        "--replace", action="store_true", help="write over an earlier report of the same name"
    )
    add_json(parser, "print the files as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write the report, and say where it is."""
    from workbench.cli.console import busy, say, write_json
    from workbench.project.paths import expanded
    from workbench.project.store import open_project
    from workbench.reports.writing import FOLDER, write_report
    from workbench.ui.text import clean_lines

    project = open_project(args.project)
    folder = expanded(str(args.to)) if args.to else project.folder / FOLDER
    with busy("reading the logs"):
        document = _document(args, project)
        files = write_report(document, Path(folder), clean=clean_lines, replace=args.replace)
    if args.json:
        write_json({"files": [str(file) for file in files]})
    else:
        for file in files[:2]:
            say(str(file))
    return 0


def _document(args: argparse.Namespace, project: "OpenProject") -> "Document":
    from workbench.reports.project import project_report
    from workbench.reports.run import run_report
    from workbench.reports.sweep import sweep_report
    from workbench.runs.folder import find_run, require_own
    from workbench.runs.queue.entries import Queue
    from workbench.runs.sweep.store import find_sweep

    if args.run:
        found = find_run(args.run, project.folder)
        require_own(found, project.folder)
        return run_report(found)
    if args.sweep is not None:
        queue = Queue(project.folder)
        return sweep_report(queue, find_sweep(queue, "" if args.sweep == "latest" else args.sweep))
    return project_report(project)
