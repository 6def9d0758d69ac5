"""Make a project that trains, from data files of any known shape."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`new PATH [--data FILE]... [--base MODEL]`."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder to make")
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a JSON, JSONL, CSV, TSV or Parquet file; may be repeated",
    )
    parser.add_argument(
        "--base",
        default="embedded",
        metavar="MODEL",
        help="a hub id, a folder, or `embedded` (default), the small model that comes along",
    )


def run(args: argparse.Namespace) -> int:
    """Write the project and say what to do next."""
    from workbench.cli.console import busy, note, say
    from workbench.prompts.scaffold import new_project

    _require_files(args.data)
    with busy("reading the data"):
        file = new_project(args.path, args.data, args.base)
    say(str(file))
    if not args.data:
        note(f"next: say in {file} where the data is, in a [[data.source]]")
        return 0
    note(
        f"next: workbench preview {args.path}\n      workbench train {args.path}\n      workbench {args.path}"
    )
    return 0


def _require_files(files: list[Path]) -> None:
    """Refuse what is not there, and what is named twice: its rows would train twice."""
    from workbench.errors import Problem, WorkbenchError

    problems = [Problem("no such file", str(file)) for file in files if not file.exists()]
    named = [file.resolve() for file in files]
    twice = [file for i, file in enumerate(named) if file in named[:i]]
    problems += [Problem("named twice: its rows would train twice", str(file)) for file in twice]
    if problems:
        raise WorkbenchError(*problems)
