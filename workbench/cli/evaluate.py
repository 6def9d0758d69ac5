"""Was the fine-tuning worth it: hold models against each other on the same rows, in the background.

Without more, the base model is held against the checkpoints of the newest run, with examples before its
prompts as well where prompt.few_shot asks for some. Ctrl+C leaves it running.
"""

import argparse
from typing import TYPE_CHECKING, Literal

from workbench.cli.arguments import add_json, add_layers, add_project
from workbench.evaluation.planning import CHECKPOINTS, Kind

if TYPE_CHECKING:
    from workbench.evaluation.folder import Evaluation
    from workbench.evaluation.plan import Plan
    from workbench.project.store import OpenProject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`evaluate PROJECT [--run RUN]... [--templates | --base MODEL... | --grid KEY=A,B...] [--detach]`."""
    add_project(parser)
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--run",
        action="append",
        default=[],
        metavar="RUN",
        help="its checkpoints: a run's id, its folder, or `latest`; may be repeated (default: the newest)",
    )
    what.add_argument(
        "--checkpoints",
        default="",
        metavar="WHICH",
        help=f"{', '.join(CHECKPOINTS)}, or a step (default: all)",
    )
    what.add_argument(
        "--templates", action="store_true", help="the base model with the template and each prompt.variant"
    )
    what.add_argument(
        "--base", action="append", default=[], metavar="MODEL", help="another base model; may be repeated"
    )
    what.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=A,B",
        help="sampling settings against each other, such as temperature=0.1,0.2; may be repeated",
    )
    how = parser.add_argument_group("on which rows, and how")
    how.add_argument("--rows", choices=("validation", "test", "train"), help="(default: evaluation.rows)")
    how.add_argument("--take", type=int, metavar="N", help="so many of the rows, drawn by data.seed")
    how.add_argument("--no-answers", action="store_true", help="perplexity alone")
    how.add_argument("--cpu", action="store_true", help="on the processor, whatever else there is")
    add_layers(parser, "evaluation.classifier=lexicon")
    parser.add_argument("--resume", metavar="EVALUATION", help="go on with one that was stopped or killed")
    parser.add_argument("--detach", action="store_true", help="start it and return at once")
    add_json(parser, "print the result as one JSON object; with --detach the id and the folder")


def run(args: argparse.Namespace) -> int:
    """Start, say which evaluation it is, follow it unless told to detach, and print the table."""
    from workbench.cli.console import note, say, write_json
    from workbench.cli.evaluation import show
    from workbench.cli.evaluations import find_evaluation
    from workbench.cli.follow_evaluation import follow
    from workbench.evaluation import jobs

    project = _project(args)
    if args.resume:
        evaluation = find_evaluation(project.folder, args.resume)
        jobs.resume(evaluation)
    else:
        evaluation = jobs.start(project, _plan(args, project))
    if args.detach:
        if args.json:
            write_json({"id": evaluation.id, "folder": str(evaluation.folder)})
        else:
            say(evaluation.id)
            note(f"running in the background; {_again(args, evaluation)} shows it")
        return 0
    note(evaluation.id)
    code = follow(evaluation, again=_again(args, evaluation))
    if code is None:
        return 0
    show(evaluation, as_json=args.json)
    return code


def _again(args: argparse.Namespace, evaluation: "Evaluation") -> str:
    from workbench.cli.console import command

    return command("evaluation", str(args.project), evaluation.id)


def _project(args: argparse.Namespace) -> "OpenProject":
    """With what the options say of the rows laid in, which `--set` could say as well."""
    from workbench.project.store import open_project, parse_override

    overrides = dict(map(parse_override, args.overrides))
    if args.rows:
        overrides["evaluation.rows"] = args.rows
    if args.take is not None:
        overrides["evaluation.take"] = args.take
    if args.no_answers:
        overrides["evaluation.answers"] = False
    return open_project(args.project, args.profile, overrides)


def _plan(args: argparse.Namespace, project: "OpenProject") -> "Plan":
    import sys

    from workbench.errors import fault
    from workbench.evaluation.decodings import parse_decodings
    from workbench.evaluation.planning import make_plan
    from workbench.runs.folder import find_run

    if sum(map(bool, (args.templates, args.grid, args.base))) > 1:
        raise fault("compare one thing at a time", "--templates, --grid, --base")
    kind: Kind = "models"
    if args.templates:
        kind = "templates"
    elif args.grid:
        kind = "sampling"
    elif args.base and not (args.run or args.checkpoints):
        kind = "bases"
    device: Literal["auto", "cpu"] = "cpu" if args.cpu else "auto"
    decodings = None
    if args.grid:
        decodings = parse_decodings(" ".join(args.grid), project.settings.evaluation.decoding)
    return make_plan(
        project,
        kind,
        runs=[find_run(each, project.folder) for each in args.run],
        checkpoints=args.checkpoints or ("best" if args.grid else "all"),
        bases=args.base,
        decodings=decodings,
        device=device,
        command=["workbench", *sys.argv[1:]],
    )
