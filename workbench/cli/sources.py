"""What became of the rows of each source; with --add, a mapping proposed for one more file."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened
from workbench.errors import fault

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from workbench.data.detect.propose import Proposal
    from workbench.data.example import Example, Rejected
    from workbench.data.report import SourceReport
    from workbench.project.store import OpenProject

_LONGEST = 300
"""Characters of a message that are shown."""
_LEFT_OUT = ("filtered", "duplicate", "rejected", "not taken")
_TITLES = ("read", "kept", *_LEFT_OUT, "trained", "validation", "test")
_NAME = 12
"""Cells that a source's name has at least."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`sources PROJECT [--json]`, `sources PROJECT --add PATH [--dry] [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--add",
        type=Path,
        metavar="PATH",
        help="propose a mapping for a file, a glob in quotes or hub:owner/name, and add it; of a folder, for "
        "each shape of its files",
    )
    parser.add_argument("--dry", action="store_true", help="with --add: show the proposal, write nothing")
    add_layers(parser, "data.duplicates=drop")
    add_json(parser, "print what became of each source's rows, or with --add the proposal")


def run(args: argparse.Namespace) -> int:
    """Count what became of the rows, or propose a source and add it. 1 when a source loses all its rows."""
    if args.dry and not args.add:
        raise fault("goes with --add", "--dry")
    project = opened(args)
    if args.add:
        _add(project, args.add, args.dry, args.json)
        return 0
    return _count(project, args.json)


def _count(project: "OpenProject", as_json: bool) -> int:
    from workbench.cli.console import note, out, write_json
    from workbench.cli.surveying import shares
    from workbench.data.dataset import open_dataset
    from workbench.data.selection import select
    from workbench.prompts.survey.survey_cache import plain_report

    with shares("reading the data") as progress:
        dataset = open_dataset(project)
        reports = select(dataset, project.settings.data, progress).reports
        dataset.close()
    if as_json:
        write_json([plain_report(report) for report in reports], indent=2)
    elif reports:
        out.print(_table(reports, out.width), crop=False)
        for report in reports:
            for line in _remarks(report):
                out.print(line, soft_wrap=True)
    else:
        note(f"no sources yet; workbench sources {project.folder} --add FILE adds one")
    return int(any(report.lost for report in reports))


def _table(reports: "list[SourceReport]", width: int) -> "Table":
    """Counts that are zero for all sources have no column. Where `width` cells are too few for the rest, what
    is left out becomes one number; a long name is broken, a number never."""
    from rich.table import Table

    from workbench.ui.text import shown

    columns = _columns(reports)
    if _cells(columns) + _NAME > width:
        parts = [columns.pop(title) for title in _LEFT_OUT if title in columns]
        columns.pop("kept", None)
        read, *used = columns.items()
        columns = dict(
            [read, *([("left out", [*map(sum, zip(*parts, strict=True))])] if parts else []), *used]
        )
    needed = _cells(columns) + _NAME
    table = Table(box=None, pad_edge=False, width=needed if needed > width else None)
    table.add_column("source", overflow="fold")
    for title, numbers in columns.items():
        cells = max(len(title), *(len(f"{number:,}") for number in numbers))
        table.add_column(title, no_wrap=True, justify="right", min_width=cells)
    for report, *numbers in zip(reports, *columns.values(), strict=True):
        style = "red" if report.lost else ""
        table.add_row(shown(report.name), *(f"{number:,}" for number in numbers), style=style)
    return table


def _columns(reports: "list[SourceReport]") -> dict[str, list[int]]:
    """Title to a number for each source; `read` and `trained` even where they are zero."""
    columns = dict(zip(_TITLES, map(list, zip(*map(_numbers, reports), strict=True)), strict=True))
    return {
        title: numbers for title, numbers in columns.items() if any(numbers) or title in ("read", "trained")
    }


def _cells(columns: dict[str, list[int]]) -> int:
    """Cells that the columns of numbers take, with the two before each."""
    return sum(
        2 + max(len(title), *(len(f"{number:,}") for number in numbers)) for title, numbers in columns.items()
    )


def _numbers(report: "SourceReport") -> tuple[int, ...]:
    """In the order of `_TITLES`."""
    rejected, filtered = (sum(map(len, each.values())) for each in (report.rejected, report.filtered))
    left_out = (filtered, len(report.duplicate), rejected, report.not_taken)
    return (report.read, report.kept, *left_out, report.train, report.validation, report.test)


def _remarks(report: "SourceReport") -> "Iterator[Text]":
    """A line for every reason by which rows are left out; in red what makes a source useless."""
    from workbench.ui.text import shown

    if report.error:
        yield shown(f"{report.name} CANNOT BE READ: {report.error}", "bold red")
    elif report.lost:
        yield shown(f"{report.name} LOST ALL ROWS", "bold red")
    for why, rows, first in report.left_out:
        yield shown(f"{report.name}: {rows:,} × {why}" + ("" if first is None else f", first row {first}"))


def _add(project: "OpenProject", path: Path, dry: bool, as_json: bool) -> None:
    from workbench.cli.console import busy, note, say, write_json
    from workbench.data.detect.many_files import propose_all
    from workbench.project.paths import placed
    from workbench.project.source_text import source_toml
    from workbench.project.store import add_sources

    with busy("reading the data"):
        proposed = propose_all([path], bool(project.settings.data.source))
    tables = [proposal.table for proposal in proposed.proposals]
    if as_json:
        added = None if dry else str(add_sources(project, tables).file)
        proposals = [_plain(proposal, project.folder) for proposal in proposed.proposals]
        left_out = list(map(str, proposed.left_out))
        write_json({"v": 1, "proposals": proposals, "left_out": left_out, "added_to": added}, indent=2)
        return
    for proposal in proposed.proposals:
        say(source_toml(placed(proposal.table, project.folder)))
        _show_rows(proposal)
        note(proposal.why)
    for problem in proposed.left_out:
        note(f"left out: {problem}")
    if not dry:
        note(f"added to {add_sources(project, tables).file}")


def _plain(proposal: "Proposal", folder: Path) -> dict[str, Any]:
    """The table as project.toml has it, what it was told from, and what the first rows become."""
    from workbench.project.paths import placed

    rows = [
        {name: value for name, value in asdict(outcome).items() if name != "origin"}
        | {"row": outcome.origin.row}
        for _, outcome in proposal.rows
    ]
    return {"table": placed(proposal.table, folder), "why": proposal.why, "rows": rows}


def _show_rows(proposal: "Proposal") -> None:
    from workbench.cli.console import say

    for _, outcome in proposal.rows:
        say(f"row {outcome.origin.row}")
        for line in _lines(outcome):
            say(f"  {line}")


def _lines(outcome: "Example | Rejected") -> list[str]:
    """What a row becomes: a line for each message, or the reason why it is left out."""
    from workbench.cli.console import excerpt
    from workbench.data.example import Rejected

    if isinstance(outcome, Rejected):
        return [f"rejected: {outcome.reason}{f', {outcome.detail}' if outcome.detail else ''}"]
    lines = []
    for message in outcome.messages:
        given = "".join(f" {name}={text}" for name, text in message.given)
        lines.append(f"{message.role}{given}: {excerpt(message.content, _LONGEST)}")
    return lines + [f"{name} = {value}" for name, value in outcome.tags]
