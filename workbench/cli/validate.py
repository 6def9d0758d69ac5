"""Score the validation rows of a running run now; a new best gets its checkpoint."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`validate RUN`."""
    add_run(parser)


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import note
    from workbench.runs import control
    from workbench.runs.folder import find_run

    found = find_run(args.run)
    control.send(found, "validate")
    note(f"{found.id} scores its validation rows after its step")
    return 0
