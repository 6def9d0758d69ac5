"""What is wrong with an answer: noted, reworded, settled; or the answer as it should be.

Without ROW all of it is listed.
"""

import argparse
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_project
from workbench.cli.evaluations import add_evaluation
from workbench.evaluation.issues import KINDS

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`issue PROJECT EVALUATION [ROW] [--model NAME] [--kind KIND] [--text TEXT] [--better TEXT]`."""
    add_project(parser)
    add_evaluation(parser)
    parser.add_argument("row", nargs="?", metavar="ROW", help="id of the row whose answer it is about")
    parser.add_argument(
        "--model", metavar="NAME", default="", help="whose answer (default: the last model's)"
    )
    parser.add_argument(
        "--kind", choices=KINDS, metavar="KIND", help=f"what is wrong: {', '.join(KINDS)} (default: other)"
    )
    parser.add_argument("--text", metavar="TEXT", help="the same in your words")
    parser.add_argument("--better", metavar="TEXT", help="the answer as it should be, for --export edited")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--settle", metavar="ID", help="this issue is settled")
    other.add_argument("--reword", metavar="ID", help="give this issue another kind or text")
    add_json(parser, "print the list as one JSON array")


def run(args: argparse.Namespace) -> int:
    """Change the log, or list it."""
    from workbench.cli.console import say
    from workbench.cli.evaluations import find_evaluation, find_model, find_row
    from workbench.errors import fault
    from workbench.evaluation.contents import read_contents
    from workbench.evaluation.corrections import correct
    from workbench.evaluation.issues import IssueLog
    from workbench.project.store import open_project

    contents = read_contents(find_evaluation(open_project(args.project).folder, args.evaluation))
    log = IssueLog(contents.evaluation.issues)
    if args.settle:
        log.close(args.settle)
    elif args.reword:
        log.edit(args.reword, kind=args.kind, text=args.text)
    elif args.row is None:
        if args.kind or args.text or args.better is not None:
            raise fault("about which row?", "issue", "name its ROW")
        return _list(args, contents)
    else:
        key = find_row(contents, args.row).key
        model = contents.plan.contestants[find_model(contents, args.model)].name
        if args.better is not None:
            correct(contents.evaluation.corrections, key, model, args.better)
        if args.kind or args.text or args.better is None:
            say(log.add(model, key, args.kind or "other", args.text or ""))
    return 0


def _list(args: argparse.Namespace, contents: "Contents") -> int:
    from workbench.cli.console import note, say, write_json
    from workbench.cli.evaluations import row_names
    from workbench.evaluation.corrections import read_corrections
    from workbench.evaluation.issues import IssueLog

    log = IssueLog(contents.evaluation.issues)
    issues, (corrections, _) = log.read(), read_corrections(contents.evaluation.corrections)
    ids = row_names(contents)
    if args.json:
        told = [
            {"id": each.id, "row": ids.get(each.key), "model": each.contestant, "kind": each.kind}
            | {"text": each.text, "open": each.open}
            for each in issues
        ]
        better = [
            {"row": ids.get(each.key), "model": each.contestant, "better": each.text} for each in corrections
        ]
        write_json({"issues": told, "corrections": better}, indent=2)
        return 0
    for each in issues:
        state = "open   " if each.open else "settled"
        text = f": {each.text}" if each.text else ""
        say(f"{each.id}  {state}  row {ids.get(each.key, '?')}  {each.contestant}  {each.kind}{text}")
    for correction in corrections:
        row = ids.get(correction.key, "?")
        say(f"edited    row {row}  {correction.contestant}: {correction.text}")
    if log.broken:
        note(f"warning: {log.broken} lines of {log.path} are no issues")
    if not issues and not corrections:
        note("nothing is noted about any answer yet")
    return 0
