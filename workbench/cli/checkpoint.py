"""Write a checkpoint of a running run now, without stopping it."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`checkpoint RUN`."""
    add_run(parser)


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import note
    from workbench.runs import control
    from workbench.runs.folder import find_run

    found = find_run(args.run)
    control.send(found, "checkpoint")
    note(f"{found.id} writes a checkpoint after its step")
    return 0
