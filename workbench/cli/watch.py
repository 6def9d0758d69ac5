"""Follow a run until it ends; Ctrl+C leaves it running."""

import argparse

from workbench.cli.arguments import add_json, add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`watch RUN [--json]`."""
    add_run(parser)
    add_json(parser, "print every event as a JSON line")


def run(args: argparse.Namespace) -> int:
    """Show what has happened so far, then what happens."""
    from workbench.cli.follow import follow
    from workbench.runs.folder import find_run

    return follow(find_run(args.run), as_json=args.json)
