"""Take part in a run of several nodes, on one of the others: there, in the same folder, under its number."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`join RUN --node-rank N`."""
    add_run(parser)
    parser.add_argument(
        "--node-rank",
        type=int,
        required=True,
        metavar="N",
        help="number of this node: 1, 2, ...; 0 has the run",
    )


def run(args: argparse.Namespace) -> int:
    """Start this node's processes in the background."""
    from workbench.cli.console import note
    from workbench.runs.folder import find_run
    from workbench.runs.spawn import join

    found = find_run(args.run)
    pid = join(found, args.node_rank)
    note(f"node {args.node_rank} of {found.id} takes part, as process {pid}; it ends with the run")
    return 0
