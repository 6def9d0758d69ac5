"""Import runs that were trained elsewhere: OpenAI fine-tuning results (CSV), trainer_state.json, tables of
losses (CSV, TSV, markdown), TensorBoard event files. They are listed, shown, described, judged and compared
like ours."""

import argparse
from pathlib import Path

from workbench.cli.arguments import add_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`import-run PROJECT FILE... [--name NAME] [--rows N] [--batch N]`."""
    add_project(parser)
    files = "a file, or a folder of event files"
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help=files)
    name = "what follows the date in the run's id (default: the file's name)"
    parser.add_argument("--name", default="", help=name)
    parser.add_argument("--rows", type=_count, metavar="N", help="rows of its training set: gives epochs")
    batch = "its effective batch, where the file is silent"
    parser.add_argument("--batch", type=_count, metavar="N", help=batch)


def run(args: argparse.Namespace) -> int:
    """Import each file as a run, and tell its verdict."""
    from workbench.cli.console import busy, note, say
    from workbench.errors import fault
    from workbench.project.store import open_project
    from workbench.runs.folder import read_imported
    from workbench.runs.imports.importing import import_run
    from workbench.runs.status import read_status
    from workbench.runs.verdict.facts import judge_run

    if args.name and len(args.files) > 1:
        raise fault("one name for several runs", "--name", "import them one by one")
    folder = open_project(args.project).folder
    for path in args.files:
        with busy(f"reading {path}"):
            made = import_run(folder, path, name=args.name, rows=args.rows, batch=args.batch)
            verdict = judge_run(made)
        spec = read_imported(made)
        say(f"{made.id}  {read_status(made).step} steps, {spec.imported.format if spec else ''}")
        say(f"  {verdict.line}")
        for remark in spec.imported.remarks if spec else []:
            note(f"{path}: {remark}")
    return 0


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
