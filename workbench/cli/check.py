"""Look at all rows before GPU time is spent: what would go wrong, which rows it is about, what to do.

Exit code 1 when a red finding would keep a run from starting; `data.accept` lets it start by name.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.prompts.survey.findings import Finding
    from workbench.prompts.survey.survey import Survey

SHOWN_ROWS = 8
INDENT = 29
MARKS = {"red": ("RED", "bold red"), "yellow": ("yellow", "yellow"), "note": ("note", "")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`check PROJECT [--profile P] [--set key=value]... [--exact] [--json]`."""
    add_project(parser)
    add_layers(parser, """data.accept='["leak"]'""")
    parser.add_argument("--exact", action="store_true", help="tokenise every row, however many there are")
    add_json(parser, 'print {"findings", "reports", "facts", "schedule", "padding"}')
    # How run_survey follows this command from the screen
    parser.add_argument("--progress", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Print the findings, the gravest first."""
    from workbench.cli.console import note, out, write_json
    from workbench.cli.surveying import surveyed
    from workbench.errors import WorkbenchError

    project = opened(args)
    if args.progress:
        try:
            _report_progress(project)
        except WorkbenchError as error:
            sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
            return 2
        return 0
    found = surveyed(project, exact=args.exact)
    if args.json:
        write_json(as_json(found, project.settings), indent=2)
    else:
        names = [report.name for report in found.reports]
        for finding in found.findings:
            out.print(_lines(finding, names, out.width))
        note(_summary(found))
    return 1 if found.blocking else 0


def as_json(found: "Survey", settings: Any) -> dict[str, Any]:
    """Everything that is known, as plain values."""
    from dataclasses import asdict

    from workbench.prompts.survey.checks.about_schedule import schedule
    from workbench.prompts.survey.statistics import padding
    from workbench.prompts.survey.survey_cache import plain_report

    planned, training = schedule(found.facts, settings), settings.training
    return {
        "findings": [asdict(finding) | {"blocks": finding.blocks} for finding in found.findings],
        "reports": [plain_report(report) for report in found.reports],
        "facts": asdict(found.facts),
        "schedule": asdict(planned) | {"epochs": planned.epochs} if planned else None,
        "padding": padding(
            found.statistics.train_lengths,
            training.per_device_train_batch_size,
            settings.data.max_tokens,
            training.seed,
        ),
    }


def _report_progress(project: Any) -> None:
    from workbench.errors import Problem, WorkbenchError
    from workbench.prompts.survey.survey import survey, survey_cached
    from workbench.prompts.survey.survey_cache import plain

    told = -1

    def tell(done: float) -> None:
        nonlocal told
        if int(done * 100) != told:
            told = int(done * 100)
            sys.stdout.write(json.dumps({"progress": done}) + "\n")
            sys.stdout.flush()

    found = survey(project, tell)
    # Such a survey is not kept, so that mending what is wrong around the files is enough
    if errors := [report.error for report in found.reports if report.error]:
        raise WorkbenchError(*map(Problem, errors))
    if survey_cached(project) is None:
        made = plain(found.facts, found.reports, found.statistics.exact)
        sys.stdout.write(json.dumps({"survey": made}) + "\n")


def _lines(finding: "Finding", names: list[str], width: int) -> Any:
    from rich.text import Text

    from workbench.cli.console import out
    from workbench.ui.text import shown

    word, style = MARKS[finding.level]
    texts = [shown(finding.what)]
    if finding.hint:
        texts.append(shown(f"-> {finding.hint}"))
    if finding.rows:
        texts.append(shown(_rows(finding, names)))
    if finding.accepted:
        texts.append(shown("accepted by data.accept"))
    lines = [line for text in texts for line in text.wrap(out, max(width - INDENT, INDENT))]
    head = Text(f"{word:<7}", style=style)
    return Text.assemble(head, f"{finding.name:<{INDENT - 7}}", Text("\n" + " " * INDENT).join(lines))


def _rows(finding: "Finding", names: list[str]) -> str:
    """`rows 3, 11, 17`, by source where there are several."""
    by_source: dict[int, list[int]] = {}
    for source, row in finding.rows[:SHOWN_ROWS]:
        by_source.setdefault(source, []).append(row)
    parts = [
        f"{names[source] + ' ' if len(names) > 1 else ''}row{'s' if len(rows) > 1 else ''} "
        + ", ".join(map(str, rows))
        for source, rows in by_source.items()
    ]
    return "; ".join(parts) + (" …" if finding.count > SHOWN_ROWS else "")


def _summary(found: "Survey") -> str:
    from workbench.prompts.survey.checks.seen import rows

    facts = found.facts
    sides = ", ".join(f"{count:,} {side}" for side, count in facts.rows.items() if count)
    if (repeated := facts.train_repeated) > facts.rows.get("train", 0):
        sides += f"; with `repeat` {repeated:,} in an epoch"
    if lost := facts.used - sum(map(facts.left, facts.rows)):
        sides += f"; {'' if facts.statistics.exact else 'about '}{lost:,} of them left out when encoded"
    tokens = facts.tokens
    sampled = (
        ""
        if facts.statistics.exact
        else f"; tokens of {tokens.sample:,} of {facts.rows['train']:,} (sampled)"
    )
    red = len(found.blocking)
    verdict = f"{red} red: a run does not start" if red else "nothing keeps a run from starting"
    return f"{rows(facts.used)} used ({sides or 'none'}){sampled}; {verdict}"
