"""Make a project that trains, from data files of any known shape."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`new PATH [--data FILE]... [--base MODEL] [--preset NAME]`."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder to make")
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a JSON, JSONL, CSV, TSV, text, Parquet or Arrow file, a folder, a glob in quotes, or "
        "hub:owner/name; may be repeated",
    )
    parser.add_argument(
        "--base",
        default="embedded",
        metavar="MODEL",
        help="a hub id, a folder, or `embedded` (default), the small model that comes along",
    )
    parser.add_argument(
        "--preset",
        default="",
        metavar="NAME",
        help="whose settings to begin with, of `workbench presets`; by default by the base model's size",
    )


def run(args: argparse.Namespace) -> int:
    """Write the project and say what to do next."""
    from workbench.cli.console import busy, note, say
    from workbench.project.preset import NONE, known_preset
    from workbench.prompts.scaffold import new_project

    _refuse_twice(args.data)
    if args.preset not in ("", NONE):
        known_preset(args.preset, "--preset")
    with busy("reading the data"):
        made = new_project(args.path, args.data, args.base, args.preset)
    say(str(made.file))
    for proposal in made.proposals:
        note(f"{proposal.table['path']}: kind {proposal.table['kind']}; {proposal.why}")
    for problem in made.left_out:
        note(f"left out: {problem}")
    note(f"template {made.template}: {made.why_template}")
    note(f"preset {made.preset}: {made.why_preset}")
    if not args.data:
        note(f"next: say in {made.file} where the data is, in a [[data.source]]")
        return 0
    note(
        f"next: workbench preview {args.path}\n      workbench train {args.path}\n      workbench {args.path}"
    )
    return 0


def _refuse_twice(files: list[Path]) -> None:
    """Refuse what is named twice: its rows would train twice."""
    from workbench.errors import Problem, WorkbenchError

    named = [file.resolve() for file in files]
    twice = [file for i, file in enumerate(named) if file in named[:i]]
    problems = [Problem("named twice: its rows would train twice", str(file)) for file in twice]
    if problems:
        raise WorkbenchError(*problems)
