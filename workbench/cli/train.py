"""Start a run in the background and follow it; Ctrl+C leaves it running."""

import argparse

from workbench.cli.arguments import add_json, add_layers, add_project, opened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train PROJECT [--profile P] [--set key=value]... [--resume RUN] [--detach] [--json]`."""
    add_project(parser)
    add_layers(parser)
    parser.add_argument("--resume", metavar="RUN", help="go on with a run from its last complete checkpoint")
    parser.add_argument("--detach", action="store_true", help="start it and return at once")
    add_json(parser, "print the run, then every event, as JSON lines")


def run(args: argparse.Namespace) -> int:
    """Start, say which run it is, and follow it unless told to detach."""
    from workbench.cli.console import note, say, write_json
    from workbench.cli.follow import follow
    from workbench.runs.folder import find_run
    from workbench.runs.launch import start

    project = opened(args)
    started = start(project, resume=find_run(args.resume, project.folder) if args.resume else None)
    if args.json:
        write_json({"kind": "run", "id": started.id, "folder": str(started.folder)})
    if args.detach:
        if not args.json:
            say(started.id)
        note(f"running in the background; workbench watch {started.folder} follows it")
        return 0
    if not args.json:
        note(f"run {started.id}")
    return follow(started, as_json=args.json)
