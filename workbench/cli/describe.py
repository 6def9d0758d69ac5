"""Count, mean, std, min, quartiles and max of every metric of a run, as pandas' describe gives them."""

import argparse

from workbench.cli.arguments import add_json, add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`describe RUN [--json]`."""
    add_run(parser)
    add_json(parser, "print one object: metric to its figures")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from workbench.cli.console import busy, note, out, say, write_json
    from workbench.runs.describe import as_lines, describe_run
    from workbench.runs.folder import find_run

    found = find_run(args.run)
    with busy("reading the log"):
        described = describe_run(found)
    if args.json:
        write_json({name: each.named() for name, each in described.items()}, indent=2)
    elif described:
        for line in as_lines(described, out.width):
            say(line)
    else:
        note(f"{found.id} has logged nothing yet")
    return 0
