"""Arguments that several commands share."""

import argparse
from pathlib import Path

from workbench.project.store import OpenProject, open_project, parse_override


def add_project(parser: argparse.ArgumentParser) -> None:
    """`PROJECT`: a project folder or its project.toml."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a project folder or its project.toml")


def add_layers(parser: argparse.ArgumentParser) -> None:
    """`--profile` and `--set`: what is laid over the project file."""
    parser.add_argument("--profile", help="lay a [profile.NAME] table over the rest")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="change one setting for this command, such as training.max_steps=20",
    )


def add_json(parser: argparse.ArgumentParser, help: str) -> None:
    """`--json`: the same result for programs."""
    parser.add_argument("--json", action="store_true", help=help)


def opened(args: argparse.Namespace) -> OpenProject:
    """The project that the arguments name, with its profile and overrides laid in."""
    return open_project(args.project, args.profile, dict(map(parse_override, args.overrides)))
