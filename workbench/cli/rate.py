"""Rate answers blind: without ROW the next two that are not rated yet are shown as A and B, names hidden.

With ROW and a verdict that pair is rated.
"""

import argparse
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_project
from workbench.cli.evaluations import add_evaluation

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents
    from workbench.evaluation.votes import Ballot, Choice

VERDICTS: "dict[str, Choice]" = {"a": "A", "b": "B", "tie": "tie", "bad": "both bad"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`rate PROJECT EVALUATION [ROW a|b|tie|bad] [--model NAME --model NAME] [--json]`."""
    add_project(parser)
    add_evaluation(parser)
    parser.add_argument("row", nargs="?", metavar="ROW", help="id of the row that was shown")
    verdict = "A is better, B is better, both are as good, neither will do"
    parser.add_argument("verdict", nargs="?", choices=tuple(VERDICTS), help=verdict)
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="of these models only; twice or more (default: the first and the last)",
    )
    add_json(parser, "print the pair as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Rate a pair, and show the next one."""
    from workbench.cli.console import command, note
    from workbench.cli.evaluations import find_evaluation, find_model, find_row
    from workbench.errors import fault
    from workbench.evaluation.contents import read_contents
    from workbench.evaluation.judged import open_ballots
    from workbench.evaluation.votes import vote
    from workbench.project.store import open_project

    contents = read_contents(find_evaluation(open_project(args.project).folder, args.evaluation))
    names = [contestant.name for contestant in contents.plan.contestants]
    chosen = [names[find_model(contents, each)] for each in args.model] or [names[0], names[-1]]
    if len(set(chosen)) < 2:
        raise fault("wants two models at least", "--model", f"there are: {', '.join(names)}")
    left = open_ballots(contents, chosen)
    if args.row is not None:
        if args.verdict is None:
            raise fault("what is the verdict?", args.row, f"one of {', '.join(VERDICTS)}")
        row = find_row(contents, args.row)
        pair = next((each for each in left if (each.source, each.row) == row.key), None)
        if pair is None:
            raise fault(
                "nothing is left to rate here", f"row {row.id}", "rated, alike, or not answered by both"
            )
        vote(contents.evaluation.votes, pair, VERDICTS[args.verdict])
        left.remove(pair)
    if not left:
        again = command("evaluation", str(args.project), contents.evaluation.id, "--votes")
        note(f"all pairs of these models are rated: {again} tells how")
        return 0
    _show(args, contents, left)
    return 0


def _show(args: argparse.Namespace, contents: "Contents", left: "list[Ballot]") -> None:
    from workbench.cli.console import command, note, say, write_json
    from workbench.cli.evaluations import row_names
    from workbench.evaluation.contents import question
    from workbench.evaluation.judged import answers

    pair = left[0]
    row = next(each for each in contents.rows if each.key == (pair.source, pair.row))
    texts = answers(contents)[row.key]
    a, b, name = texts[pair.left], texts[pair.right], row_names(contents)[row.key]
    if args.json:
        write_json({"row": name, "asked": question(row), "a": a, "b": b, "left": len(left)}, indent=2)
        return
    say(f"row {name}\n\n{question(row)}\n\nA\n{a}\n\nB\n{b}")
    # With other models a verdict would be on another pair
    models = command(*(word for each in args.model for word in ("--model", each))).removeprefix("workbench")
    again = command("rate", str(args.project), contents.evaluation.id, name)
    note(f"\n{len(left):,} to go: {again} a|b|tie|bad{models}")
