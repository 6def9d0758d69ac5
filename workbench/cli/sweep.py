"""Try settings against each other: one run each, worked off by the queue, judged on the same validation rows.

`--vary` names a setting and its values; several give every combination, or with --random N some of them, for
which a range such as 1e-5..1e-3 may stand as well. Without --vary it prints what a sweep came to, best first.
"""

import argparse
import math
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened
from workbench.errors import fault

if TYPE_CHECKING:
    from rich.table import Table

    from workbench.project.store import OpenProject
    from workbench.runs.queue.entries import Queue
    from workbench.runs.sweep.store import Result, Sweep

BAR_CELLS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`sweep PROJECT [--vary KEY=A,B]... [--random N] [--halve STEPS] [--dry] [--start] [--show ID]`."""
    add_project(parser)
    add_layers(parser, "training.max_steps=200")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="KEY=A,B",
        help="values to try, such as training.rank=8,16; may be repeated",
    )
    parser.add_argument("--random", type=int, metavar="N", help="N combinations by chance, not all")
    parser.add_argument("--seed", type=int, default=42, help="of --random (default: 42)")
    parser.add_argument(
        "--halve",
        type=int,
        metavar="STEPS",
        help="begin with STEPS; the best third goes on with three times more",
    )
    parser.add_argument("--dry", action="store_true", help="say which runs it would be, and add none")
    parser.add_argument("--start", action="store_true", help="work the queue off in the background")
    parser.add_argument(
        "--show", metavar="ID", default="", help="what this sweep came to (default: the newest)"
    )
    add_json(parser, "print the sweep and its results")


def run(args: argparse.Namespace) -> int:
    """Put a sweep into the queue, or show one."""
    from workbench.cli.console import note, out, say, write_json
    from workbench.runs.naming import about
    from workbench.runs.queue.entries import Queue
    from workbench.runs.queue.worker import begin
    from workbench.runs.sweep.store import changed_meanwhile, find_sweep, results
    from workbench.ui.text import counted

    if args.dry and args.start:
        raise fault("--dry adds no run: there is nothing to --start", "--dry", "leave one of them out")
    project = opened(args)
    queue = Queue(project.folder)
    if args.vary:
        tried, sweep = _make(args, project)
        if sweep is None:
            for each in tried:
                say(about(each))
            note(f"{counted(len(tried), 'run')}; without --dry they are put into the queue")
            return 0
        note(f"sweep {sweep.id}: {counted(len(tried), 'run')} to come")
        if sweep.moves_validation:
            moved = ", ".join(sweep.moves_validation)
            note(f"warning: {moved} changes what validation measures: losses are not comparable across it")
    else:
        sweep = find_sweep(queue, args.show)
    if args.start:
        begin(queue)
    found = results(queue, sweep)
    changed = changed_meanwhile(sweep, found)
    if args.json:
        rows = [_plain(each) for each in found]
        write_json({"sweep": sweep.model_dump(), "changed_meanwhile": changed, "results": rows}, indent=2)
        return 0
    out.print(_table(sweep, found))
    if changed:
        note(f"warning: changed while the sweep ran, its losses are not comparable: {', '.join(changed)}")
    _say_state(queue, found)
    return 0


def _make(args: argparse.Namespace, project: "OpenProject") -> "tuple[list[OpenProject], Sweep | None]":
    """The project once for each run, and the sweep, unless --dry."""
    from workbench.runs.sweep.choices import parse_axis, plan
    from workbench.runs.sweep.store import enqueue_sweep

    axes = dict(map(parse_axis, args.vary))
    made = plan(project, axes, args.random, args.seed, args.halve)
    if args.dry:
        return made.projects, None
    sweep = enqueue_sweep(
        made.projects, made.keys, halving=made.halving, moves_validation=made.moves_validation
    )
    return made.projects, sweep


def _say_state(queue: "Queue", found: "list[Result]") -> None:
    from workbench.cli.console import note
    from workbench.runs.queue.entries import is_working
    from workbench.runs.sweep.store import is_over

    if is_over([each.place for each in found]):
        note("all its runs are over")
    elif is_working(queue):
        note("being worked off")
    else:
        note("not being worked off: --start begins")


def _plain(result: "Result") -> dict[str, Any]:
    place = result.place
    return {
        "run": place.run.id if place.run else None,
        "turn": place.turn.value,
        "reason": place.reason,
        "rung": place.entry.rung,
        "choice": result.choice,
        "validation_loss": result.loss,
        "step": result.step,
    }


def _table(sweep: "Sweep", found: "list[Result]") -> "Table":
    """Best first; bars from the best loss (short) to the worst."""
    from rich.table import Table

    from workbench.ui.text import shown
    from workbench.ui.widgets.bars import bar

    table = Table(box=None, pad_edge=False)
    table.add_column("validation loss", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("step", justify="right", no_wrap=True)
    for key in sweep.keys:
        table.add_column(shown(key.rpartition(".")[2]))
    table.add_column("run", no_wrap=True)
    worst = max((each.loss for each in found if not math.isnan(each.loss)), default=0.0)
    for each in found:
        judged = not math.isnan(each.loss)
        place = each.place
        name = place.run.id if place.run else f"entry {place.entry.number}"
        end = "" if place.turn.value == "finished" else f" {place.turn.value} {place.reason}".rstrip()
        table.add_row(
            f"{each.loss:.4f}" if judged else "–",
            bar(each.loss / worst if worst > 0 else 0.0, BAR_CELLS) if judged else "",
            "" if each.step is None else str(each.step),
            *(shown(str(each.choice[key])) for key in sweep.keys),
            shown(name + end),
        )
    return table
