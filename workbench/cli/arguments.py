"""Arguments that several commands share."""

import argparse
from pathlib import Path

from workbench.project.store import OpenProject, open_project, parse_override


def add_project(parser: argparse.ArgumentParser) -> None:
    """`PROJECT`: a project folder or its project.toml."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a project folder or its project.toml")


def add_run(parser: argparse.ArgumentParser) -> None:
    """`RUN`: for `workbench.runs.folder.find_run`."""
    parser.add_argument("run", metavar="RUN", help="a run's id, its folder, or `latest`")


def add_layers(parser: argparse.ArgumentParser, example: str) -> None:
    """`--profile` and `--set`, of which `example` is one: what is laid over the project file."""
    parser.add_argument("--profile", metavar="NAME", help="lay [profile.NAME] over the rest")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help=f"change a setting for this command, such as {example}; may be repeated",
    )


def add_json(parser: argparse.ArgumentParser, help: str) -> None:
    """`--json`: the same result for programs."""
    parser.add_argument("--json", action="store_true", help=help)


def opened(args: argparse.Namespace) -> OpenProject:
    """The project that the arguments name, with its profile and overrides laid in."""
    return open_project(args.project, args.profile, dict(map(parse_override, args.overrides)))
