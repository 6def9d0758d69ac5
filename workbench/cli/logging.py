"""Draw the points of a running run's curve at another distance from now on, until it ends."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`logging RUN STEPS`."""
    add_run(parser)
    parser.add_argument("steps", type=int, metavar="STEPS", help="steps between two points of the curve")


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import note
    from workbench.errors import fault
    from workbench.runs import control
    from workbench.runs.folder import find_run

    if args.steps < 1:
        raise fault("a run logs every step, or every few", "STEPS", "1 or more")
    found = find_run(args.run)
    control.send(found, "logging", steps=args.steps)
    note(f"{found.id} logs every {args.steps} steps from here on")
    return 0
