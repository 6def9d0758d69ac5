"""Make a project that trains: from data files of any known shape, or as a copy of one that comes along."""

import argparse
from pathlib import Path

from workbench.errors import Problem, WorkbenchError, fault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`new PATH [--data FILE]... [--base MODEL] [--preset NAME]`, `new PATH --like NAME`, `new --list`."""
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help="the folder to make")
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
        metavar="MODEL",
        help="a hub id, a folder, or `embedded` (default), the small model that comes along",
    )
    parser.add_argument(
        "--preset",
        default="",
        metavar="NAME",
        help="whose settings to begin with, of `workbench presets`; by default by the base model's size",
    )

    parser.add_argument("--like", metavar="NAME", help="copy a project that comes along")
    parser.add_argument("--list", action="store_true", help="list the projects that come along")


def run(args: argparse.Namespace) -> int:
    """Write the project and say what to do next."""
    if args.list:
        return _list()
    if args.path is None:
        raise fault("no folder is named", "workbench new", "such as: workbench new my-project --data FILE")
    return _copy(args) if args.like else _make(args)


def _list() -> int:
    from workbench.cli.console import note, say
    from workbench.project.examples import example_projects

    examples = example_projects()
    width = max((len(example.name) for example in examples), default=0)
    for example in examples:
        say(f"{example.name:<{width}}  {example.about}")
    note("workbench new PATH --like NAME copies one")
    return 0


def _copy(args: argparse.Namespace) -> int:
    from workbench.cli.console import note, say
    from workbench.project.examples import SMALL, copy_example

    if args.data or args.preset or args.base is not None:
        hint = "change them in the copy: project.toml, or the setup pane"
        raise fault("a copied project has its own data and base model", "--like", hint)
    made = copy_example(args.like, args.path)
    say(str(made.file))
    note(_next(args.path, *(("--profile", SMALL) if SMALL in made.settings.profile else ())))
    return 0


def _make(args: argparse.Namespace) -> int:
    from workbench.cli.console import busy, note, say
    from workbench.project.base_model import EMBEDDED
    from workbench.project.preset import NONE, known_preset
    from workbench.prompts.scaffold import new_project

    _refuse_twice(args.data)
    if args.preset not in ("", NONE):
        known_preset(args.preset, "--preset")
    with busy("reading the data"):
        made = new_project(args.path, args.data, args.base or EMBEDDED, args.preset)
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
    note(_next(args.path))
    return 0


def _next(path: Path, *layers: str) -> str:
    from workbench.cli.console import command

    named = (str(path), *layers)
    commands = (command("preview", *named), command("train", *named), command(*named))
    return "next: " + "\n      ".join(commands)


def _refuse_twice(files: list[Path]) -> None:
    """Refuse what is named twice: its rows would train twice."""
    named = [file.resolve() for file in files]
    twice = [file for i, file in enumerate(named) if file in named[:i]]
    problems = [Problem("named twice: its rows would train twice", str(file)) for file in twice]
    if problems:
        raise WorkbenchError(*problems)
