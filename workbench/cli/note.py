"""The journal entry of a run: add a paragraph, or read it. It is notes.md in the run's folder."""

import argparse

from workbench.cli.arguments import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`note RUN [TEXT]`."""
    add_run(parser)
    parser.add_argument("text", nargs="?", metavar="TEXT", help="a paragraph to add; `-` reads it from stdin")


def run(args: argparse.Namespace) -> int:
    """Add to the entry, or print it."""
    import sys

    from workbench.cli.console import note, say
    from workbench.runs.folder import find_run
    from workbench.runs.notes import add_note, read_notes

    found = find_run(args.run)
    if args.text is not None:
        add_note(found, sys.stdin.read() if args.text == "-" else args.text)
    elif text := read_notes(found).strip():
        say(text)
    else:
        note(f"no notes on {found.id} yet")
    return 0
