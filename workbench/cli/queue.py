"""Runs that wait for their turn: put one in, have them worked off one after another, see what became of them.

The worker outlives this command and the terminal. It goes on after a run that fails, waits while the disk is
low, and resumes what a kill or a reboot interrupted when it is started again.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from rich.table import Table

    from workbench.runs.queue.entries import Place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`queue PROJECT [--add] [--profile P] [--set key=value]... [--start | --stop | --remove N] [--json]`."""
    add_project(parser)
    add_layers(parser, "training.rank=8")
    parser.add_argument("--add", action="store_true", help="put a run with these settings at the end")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--start", action="store_true", help="work the queue off in the background")
    action.add_argument(
        "--stop", action="store_true", help="begin nothing new; a run that goes on is left alone"
    )
    action.add_argument("--remove", type=int, metavar="N", help="take out an entry that still waits")
    add_json(parser, "print the queue")


def run(args: argparse.Namespace) -> int:
    """Do what is asked, then list the queue."""
    from workbench.cli.console import note, out, write_json
    from workbench.runs.queue.entries import Queue, enqueue, is_working, read_queue, remove
    from workbench.runs.queue.journal import read_journal
    from workbench.runs.queue.worker import begin, halt

    project = opened(args)
    queue = Queue(project.folder)
    if args.add:
        enqueue(project)
    if args.remove is not None:
        remove(queue, args.remove)
    if args.start:
        begin(queue)
    if args.stop:
        halt(queue)
    places, works = read_queue(queue), is_working(queue)
    if args.json:
        write_json({"working": works, "entries": [_plain(place) for place in places]}, indent=2)
        return 0
    if not places:
        note("nothing waits; --add puts a run in, `workbench sweep` several")
        return 0
    out.print(_table(places))
    if works:
        reason = read_journal(queue.journal).hindrance
        note(f"being worked off{f', but {reason}' if reason else ''}")
    else:
        note("not being worked off: --start begins")
    return 0


def _plain(place: "Place") -> dict[str, Any]:
    return place.entry.model_dump() | {
        "turn": place.turn.value,
        "run": place.run.id if place.run else None,
        "reason": place.reason,
    }


def _table(places: "Sequence[Place]") -> "Table":
    from rich.table import Table

    from workbench.ui.text import shown

    table = Table(box=None, pad_edge=False)
    for title in ("n", "state", "settings", "run"):
        table.add_column(title, no_wrap=title != "settings")
    for place in places:
        end = f"{place.run.id if place.run else ''}  {place.reason}".strip()
        table.add_row(str(place.entry.number), place.turn.value, shown(place.settings), shown(end))
    return table
