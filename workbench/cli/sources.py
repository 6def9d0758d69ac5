"""The sources of a project; with --add, a mapping proposed for one more, shown with its first rows."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_project

if TYPE_CHECKING:
    from workbench.data.detect import Proposal
    from workbench.data.example import Example, Rejected
    from workbench.project.store import OpenProject

_LONGEST = 300
"""Characters of a message that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`sources PROJECT [--add FILE [--dry]]`."""
    add_project(parser)
    parser.add_argument(
        "--add",
        type=Path,
        metavar="FILE",
        help="propose a mapping for a file, a folder, a glob in quotes or hub:owner/name, and add it",
    )
    parser.add_argument("--dry", action="store_true", help="with --add: show the proposal, write nothing")


def run(args: argparse.Namespace) -> int:
    """List the sources, or propose one and add it."""
    from workbench.project.store import open_project

    project = open_project(args.project)
    if args.add:
        _add(project, args.add, args.dry)
    else:
        _list(project)
    return 0


def _list(project: "OpenProject") -> None:
    from workbench.cli.console import busy, note, say
    from workbench.data.dataset import open_dataset

    with busy("reading the data"):
        dataset = open_dataset(project)
        counts = [
            str(state.error) if state.rows is None else f"{len(state.rows):,}" for state in dataset.sources
        ]
    for state, rows in zip(dataset.sources, counts, strict=True):
        say(f"{state.source.name or state.source.path}  {state.source.kind}  {rows}")
    if not dataset.sources:
        note(f"no sources yet; workbench sources {project.folder} --add FILE adds one")
    dataset.close()


def _add(project: "OpenProject", path: Path, dry: bool) -> None:
    from workbench.cli.console import busy, note, say
    from workbench.data.detect import propose
    from workbench.project.paths import placed
    from workbench.project.source_text import source_toml
    from workbench.project.store import add_source

    with busy("reading the data"):
        proposal = propose(path)
    say(source_toml(placed(proposal.table, project.folder)))
    _show_rows(proposal)
    note(proposal.why)
    if not dry:
        note(f"added to {add_source(project, proposal.table).file}")


def _show_rows(proposal: "Proposal") -> None:
    from workbench.cli.console import say

    for _, outcome in proposal.rows:
        say(f"row {outcome.origin.row}")
        for line in _lines(outcome):
            say(f"  {line}")


def _lines(outcome: "Example | Rejected") -> list[str]:
    """What a row becomes: a line for each message, or the reason why it is left out."""
    from workbench.data.example import Rejected

    if isinstance(outcome, Rejected):
        return [f"rejected: {outcome.reason}{f', {outcome.detail}' if outcome.detail else ''}"]
    lines = []
    for message in outcome.messages:
        given = "".join(f" {name}={text}" for name, text in message.given)
        lines.append(f"{message.role}{given}: {_short(message.content)}")
    return lines + [f"{name} = {value}" for name, value in outcome.tags]


def _short(text: str) -> str:
    from workbench.ui.text import clean

    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
