"""Let a paused run go on."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`continue RUN`."""
    add_run(parser)


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import note
    from workbench.runs import control
    from workbench.runs.folder import find_run

    found = find_run(args.run)
    control.send(found, "continue")
    note(f"{found.id} goes on")
    return 0
