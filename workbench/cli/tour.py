"""The screen with a walk through its panes: a card for each says what it shows and what to press."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`tour [PATH] [--profile NAME]`."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a project or a folder of projects")
    parser.add_argument("--profile", metavar="NAME", help="lay [profile.NAME] over the project")


def run(args: argparse.Namespace) -> int:
    """Open the screen; the walk begins as soon as a project is open."""
    from workbench.cli.screen import show

    return show(args.path, args.profile, tour=True)
