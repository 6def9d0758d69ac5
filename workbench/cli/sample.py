"""Let a running run answer the prompts of three held-out rows now, as it stands; `watch` shows them."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`sample RUN`."""
    add_run(parser)


def run(args: argparse.Namespace) -> int:
    """Send the command; the run acknowledges it in its events."""
    from workbench.cli.console import note
    from workbench.runs import control
    from workbench.runs.folder import find_run

    found = find_run(args.run)
    control.send(found, "sample")
    note(f"{found.id} answers three prompts after its step: workbench show prints them")
    return 0
