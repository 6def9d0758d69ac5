"""Show what cleaning does to a source: how many rows each rule touches, the first of them before and after.

Without `clean` in the source, and without rules to try, it offers those that would have something to do.
What a rule takes out stands as [-text-], what it puts in as {+text+}. Nothing is changed.
"""

import argparse
import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened
from workbench.errors import Problem, WorkbenchError, fault

if TYPE_CHECKING:
    from rich.text import Text

    from workbench.data.cleaning.survey import RuleExample, RuleReport, Suggestion
    from workbench.data.dataset import Dataset
    from workbench.project.source import Cleaning
    from workbench.project.store import OpenProject

_STYLES = {"same": "", "out": "red strike", "in": "green underline"}
_MARKS = {"same": ("", ""), "out": ("[-", "-]"), "in": ("{+", "+}")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`clean PROJECT [--source N] [--rule NAME]... [--try TOML]... [--rows N] [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--source",
        type=int,
        metavar="N",
        help="which [[data.source]], from 0 (default: the first that has rules, else the first)",
    )
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME",
        dest="rules",
        help="a built-in rule to try in place of the source's own, such as html; may be repeated",
    )
    parser.add_argument(
        "--try",
        action="append",
        type=_Table,
        metavar="TOML",
        dest="rules",
        help='a rule with parameters to try, such as \'on = "assistant", prefix = ["答案："]\'',
    )
    parser.add_argument(
        "--rows", type=int, default=3, metavar="N", help="examples for each rule (default: 3)"
    )
    add_layers(parser, "data.source.0.clean=[]")
    add_json(parser, 'print {"rows", "rules": [{"label", "touched", "examples", ...}], "suggested"}')


def run(args: argparse.Namespace) -> int:
    """Print a count and examples for each rule, or the rules that would touch something."""
    from workbench.cli.console import busy, write_json
    from workbench.data.cleaning.survey import suggest, survey_rules
    from workbench.data.dataset import open_dataset

    project = _project(args)
    dataset = open_dataset(project)
    rules = _rules(project, args.source)
    reports: list[RuleReport] = []
    suggested: list[Suggestion] = []
    with busy("reading the data"):
        if rules:
            reports = survey_rules(dataset, args.source, rules, examples=max(0, args.rows))
        else:
            suggested = suggest(dataset, args.source)
    if args.json:
        offers = [asdict(each) | {"rule": _plain(each.rule)} for each in suggested]
        rows = dataset.sources[args.source].known_rows
        write_json({"rows": rows, "rules": list(map(asdict, reports)), "suggested": offers}, indent=2)
    elif rules:
        _print_reports(reports, dataset, args.source)
    else:
        _print_suggestions(suggested)
    return 0


class _Table(str):
    """The text of a rule with parameters: an inline table of TOML, with or without its braces."""


def _project(args: argparse.Namespace) -> "OpenProject":
    """The project with the tried rules in place of the source's own, so that they are checked like these."""
    import tomllib

    project = opened(args)
    count = len(project.settings.data.source)
    if args.source is None:
        ruled = [number for number, source in enumerate(project.settings.data.source) if source.clean]
        args.source = ruled[0] if ruled and not args.rules else 0
    if not 0 <= args.source < count:
        raise fault(f"there is no source {args.source}; the project has {count}, counted from 0", "--source")
    if not args.rules:
        return project
    rules: list[Any] = []
    for rule in args.rules:
        try:
            text = rule.strip().removeprefix("{").removesuffix("}")
            rules.append(tomllib.loads(f"rule = {{{text}}}")["rule"] if isinstance(rule, _Table) else rule)
        except tomllib.TOMLDecodeError as e:
            raise fault(f"not an inline table of TOML: {e}", "--try", "as in: prefix = ['A:']") from e
    from workbench.project.store import open_project

    key = f"data.source.{args.source}.clean"
    try:
        return open_project(args.project, args.profile, project.overrides | {key: rules})
    except WorkbenchError as e:
        raise WorkbenchError(*(_of_rule(problem, key, args.rules) for problem in e.problems)) from e


def _of_rule(problem: Problem, key: str, rules: list[str]) -> Problem:
    """A problem of a tried rule, told of the option that it was given with."""
    found = re.match(rf"{re.escape(key)}\.(\d+)(?:\.(\w+))?: ", problem.what)
    if not found:
        return problem
    option = "--try" if isinstance(rules[int(found[1])], _Table) else "--rule"
    what = problem.what[found.end() :]
    return replace(problem, where=option, what=f"{found[2]}: {what}" if found[2] else what)


def _rules(project: "OpenProject", source: int) -> "list[Cleaning]":
    return project.settings.data.source[source].clean


def _plain(rule: "Cleaning") -> Any:
    """A rule as it stands in project.toml."""
    return rule if isinstance(rule, str) else rule.model_dump(by_alias=True, exclude_defaults=True)


def _print_reports(reports: "list[RuleReport]", dataset: "Dataset", source: int) -> None:
    from workbench.cli.console import note, out, say

    state = dataset.sources[source]
    note(f"{state.path}: {state.known_rows:,} rows")
    for report in reports:
        left_out = f", {report.left_out:,} of them left out" if report.left_out else ""
        say(
            f"{report.label}: touches {report.touched:,} {'row' if report.touched == 1 else 'rows'}{left_out}"
        )
        for example in report.examples:
            out.print(_shown(example), soft_wrap=True)


def _print_suggestions(suggested: "list[Suggestion]") -> None:
    import json

    from workbench.cli.console import note, say

    if not suggested:
        note("no cleaning rules, and none that would touch a row")
        return
    note(f"no cleaning rules yet; of {suggested[0].sample:,} rows these would touch:")
    for each in suggested:
        name = each.label if isinstance(each.rule, str) else _inline(_plain(each.rule), json.dumps)
        say(f"{each.touched:>7,}  {name}")


def _inline(table: dict[str, Any], dumps: Any) -> str:
    """A rule as `--try` takes it; strings and lists of strings are the same in JSON and TOML."""
    return (
        "{ " + ", ".join(f"{key} = {dumps(value, ensure_ascii=False)}" for key, value in table.items()) + " }"
    )


def _shown(example: "RuleExample") -> "Text":
    from rich.text import Text

    from workbench.data.cleaning.changes import changes, excerpt, spelled
    from workbench.ui.text import clean

    line = Text(f"  row {example.row} {example.role}: ")
    if example.reason:
        pieces = excerpt(changes(example.before, ""), longest=80)
        return line.append(f"left out, {clean(example.reason)}: {clean(pieces[0].text)}")
    for piece in excerpt(changes(example.before, example.after)):
        opening, closing = _MARKS[piece.kind]
        text = piece.text if piece.kind == "same" else spelled(piece.text)
        line.append(opening + clean(text) + closing, style=_STYLES[piece.kind])
    return line
