"""Make a project that trains, from a data file of any known shape."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`new PATH [--data FILE]... [--base MODEL]`."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder to make")
    parser.add_argument(
        "--data", type=Path, action="append", default=[], metavar="FILE", help="a data file; may be repeated"
    )
    parser.add_argument(
        "--base", default="embedded", metavar="MODEL", help="hub id, folder, or `embedded` (default)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the project and say what to do next."""
    from workbench.cli.console import note, say
    from workbench.prompts.scaffold import new_project

    file = new_project(args.path, args.data, args.base)
    say(str(file))
    note(
        f"next: workbench preview {args.path}, workbench train {args.path}, or the screen: workbench {args.path}"
    )
    return 0
