"""What evaluations found: without EVALUATION a list of them; with one its table and what its figures mean.

--rows shows it row by row, the worst first; --predictions, --export and --use-decoding write what it found.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_project
from workbench.evaluation.judged import KINDS

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents
    from workbench.evaluation.folder import Evaluation
    from workbench.project.store import OpenProject

CHARACTERS = 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`evaluation PROJECT [EVALUATION] [--rows | --labels | --checks | ...] [--model NAME] [--json]`."""
    parser.usage = "%(prog)s PROJECT [EVALUATION] [--rows | --labels | ...] [--model NAME] [--json]"
    add_project(parser)
    parser.add_argument(
        "evaluation", nargs="?", metavar="EVALUATION", help="its id, or `latest`; without it all are listed"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rows", action="store_true", help="row by row, those the model is worst at first")
    what.add_argument("--labels", action="store_true", help="F1 of each label, and which are taken for which")
    what.add_argument("--checks", action="store_true", help="what is wrong with answers, in rows")
    what.add_argument("--grid", action="store_true", help="sampling settings in a table, and which to take")
    what.add_argument(
        "--use-decoding", action="store_true", help="write the suggested sampling settings to [chat]"
    )
    what.add_argument("--votes", action="store_true", help="how answers were rated blind")
    what.add_argument(
        "--export", choices=KINDS, help="write votes as preferences, or edited answers, as rows"
    )
    what.add_argument(
        "--predictions", type=Path, metavar="FILE", help="write answers as a JSON array of id and output"
    )
    what.add_argument(
        "--check-predictions", type=Path, metavar="FILE", help="is FILE such an array of these rows"
    )
    what.add_argument("--note", metavar="TEXT", help="add a paragraph to its notes")
    what.add_argument(
        "--stop", action="store_true", help="end it after its batch; `evaluate --resume` goes on"
    )
    parser.add_argument(
        "--model", metavar="NAME", default="", help="whose rows or answers (default: the last)"
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="of --export (default: in PROJECT/data)")
    add_json(parser, "print the same as one JSON object")


def run(args: argparse.Namespace) -> int:
    """List, show, or write."""
    from workbench.cli.evaluations import find_evaluation
    from workbench.errors import fault
    from workbench.evaluation import jobs
    from workbench.evaluation.contents import read_contents
    from workbench.project.store import open_project

    project = open_project(args.project)
    asked = [name for name in ACTS if getattr(args, name) not in (None, False)]
    if args.evaluation is None:
        if asked or args.stop:
            raise fault("of which evaluation?", f"--{(asked or ['stop'])[0]}", "name it, or say `latest`")
        return _list(project, args.json)
    evaluation = find_evaluation(project.folder, args.evaluation)
    if args.stop:
        from workbench.cli.console import note

        jobs.stop(evaluation)
        note(f"{evaluation.id} stops after its batch; what is measured stays")
        return 0
    if not asked:
        return show(evaluation, as_json=args.json)
    return ACTS[asked[0]](args, project, read_contents(evaluation))


def _list(project: "OpenProject", as_json: bool) -> int:
    from rich.table import Table

    from workbench.cli.console import command, note, out, write_json
    from workbench.evaluation.jobs import list_evaluations
    from workbench.evaluation.status import read_status
    from workbench.ui.text import shown

    found = [(each, read_status(each.evaluation)) for each in list_evaluations(project.folder)]
    if as_json:
        write_json(
            [
                {
                    "id": each.evaluation.id,
                    "state": status.state.value,
                    "done": status.done,
                    "total": status.total,
                    "models": [contestant.name for contestant in each.plan.contestants]
                    if each.plan
                    else None,
                    "problem": each.problem,
                }
                for each, status in found
            ],
            indent=2,
        )
        return 0
    if not found:
        note(f"no evaluation yet: {command('evaluate', str(project.folder))} starts one")
        return 0
    table = Table(box=None, pad_edge=False)
    for title in ("evaluation", "state", "done", "models"):
        table.add_column(title, no_wrap=title != "models")
    for each, status in found:
        models = (
            ", ".join(contestant.name for contestant in each.plan.contestants) if each.plan else each.problem
        )
        done = f"{status.done / status.total:.0%}" if status.total else ""
        table.add_row(each.evaluation.id, status.state.value, done, shown(models))
    out.print(table)
    return 0


def show(evaluation: "Evaluation", *, as_json: bool) -> int:
    """Print the table, and what has to be known of it."""
    from workbench.cli.console import note, out, say, write_json
    from workbench.cli.evaluations import figures, plain, said
    from workbench.evaluation.contents import read_contents
    from workbench.evaluation.ladder import Ladder
    from workbench.evaluation.status import read_status
    from workbench.runs.notes import read_notes

    contents, table = read_contents(evaluation), Ladder(evaluation).read()
    if as_json:
        write_json(plain(contents, table), indent=2)
        return 0
    status = read_status(evaluation)
    where = f", {status.device}" if status.device else ""
    say(f"{evaluation.id}: {status.state.value}, {len(contents.rows):,} {contents.plan.side} rows{where}")
    out.print(figures(table))
    say("")
    for line in said(table, contents.plan):
        say(line)
    if notes := read_notes(evaluation).strip():
        say(f"\n{notes}")
    for remark in (*status.warnings, *table.remarks):
        note(f"warning: {remark}")
    return 0


def _rows(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from workbench.cli.console import excerpt, say, write_json
    from workbench.cli.evaluations import find_model, row_names
    from workbench.evaluation.contents import question

    number, names = find_model(contents, args.model), row_names(contents)
    results = contents.results[number].worst_first
    if args.json:
        write_json([_plain_row(each) for each in results], indent=2)
        return 0
    say(f"{contents.plan.contestants[number].name}: {len(results):,} rows, the worst first")
    for each in results:
        perplexity = "" if each.perplexity is None else f"  perplexity {each.perplexity:.5g}"
        missing = f"  not scored: {each.skipped}" if each.skipped else ""
        say(f"\nrow {names[each.row.key]}{perplexity}{missing}")
        say(f"  asked   {excerpt(question(each.row), CHARACTERS)}")
        if each.row.reference is not None:
            say(f"  should  {excerpt(each.row.reference, CHARACTERS)}")
        if each.answer is not None:
            say(f"  said    {excerpt(each.answer.text, CHARACTERS)}")
        if each.predicted:
            say(f"  label   {each.predicted}" + (f", should be {each.true}" if each.wrong else ""))
        for finding in each.findings:
            say(f"  ! {finding.check}: {finding.what}")
    return 0


def _plain_row(each: Any) -> dict[str, Any]:
    return {
        "id": each.row.id,
        "source": each.row.source,
        "row": each.row.row,
        "perplexity": each.perplexity,
        "skipped": each.skipped,
        "answer": each.answer.text if each.answer else None,
        "reference": each.row.reference,
        "true": each.true,
        "predicted": each.predicted,
        "findings": [{"check": finding.check, "what": finding.what} for finding in each.findings],
    }


def _labels(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from dataclasses import asdict

    from workbench.cli.console import out, write_json
    from workbench.cli.evaluations import find_model
    from workbench.errors import fault
    from workbench.evaluation.ladder import Ladder
    from workbench.ui.label_text import labels_text

    table = Ladder(contents.evaluation).read()
    scores = table.standings[find_model(contents, args.model)].labels
    if scores is None:
        raise fault("no answer is labelled", contents.evaluation.id, "set evaluation.classifier and .label")
    if args.json:
        write_json(asdict(scores) | {"confusion": scores.confusion.tolist()}, indent=2)
    else:
        out.print(labels_text(scores, table.references))
    return 0


def _checks(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from rich.table import Table

    from workbench.cli.console import out, say, write_json
    from workbench.evaluation.checks.registry import CHECKS
    from workbench.ui.text import shown

    names = [contestant.name for contestant in contents.plan.contestants]
    summaries = [results.checks for results in contents.results]
    if args.json:
        counts = {
            name: {count.check: count.rows for count in each.counts} | {"answers": each.rows}
            for name, each in zip(names, summaries, strict=True)
        }
        write_json(counts, indent=2)
        return 0
    table = Table(box=None, pad_edge=False)
    table.add_column("answers with", no_wrap=True)
    for name in names:
        table.add_column(shown(name), justify="right")
    found = [n for n, _ in enumerate(CHECKS) if any(each.counts[n].rows for each in summaries)]
    for n in found:
        table.add_row(list(CHECKS)[n], *(f"{each.counts[n].rows:,} of {each.rows:,}" for each in summaries))
    out.print(table)
    say("")
    for n in found:
        name = list(CHECKS)[n]
        say(f"{name}: {CHECKS[name].about}")
    return 0


def _grid(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from rich.table import Table

    from workbench.cli.console import out, say, write_json
    from workbench.errors import fault
    from workbench.evaluation.decodings import grid_of
    from workbench.evaluation.grid import RULE, suggest, table, written
    from workbench.project.store import save_settings

    grid = grid_of(contents)
    if not grid:
        raise fault(
            "this evaluation does not vary the decoding", contents.evaluation.id, "evaluate --grid does"
        )
    suggested = suggest(grid)
    if args.use_decoding:
        changes = {f"chat.{name}": value for name, value in suggested.cell.overrides.items()}
        saved = save_settings(project, changes)
        say(f"[chat] of {saved.file}: {written(suggested.cell.overrides)}")
        return 0
    head, lines = table(grid)
    if args.json:
        told = [dict(zip(head, line, strict=True)) for line in lines]
        write_json({"cells": told, "suggested": suggested.cell.overrides, "why": suggested.why}, indent=2)
        return 0
    drawn = Table(box=None, pad_edge=False)
    for title in ("", *head):
        drawn.add_column(title, justify="right", no_wrap=True)
    for cell, line in zip(grid, lines, strict=True):
        drawn.add_row("★" if cell is suggested.cell else "", *line)
    out.print(drawn)
    say(f"\n★ {suggested.why}\n{RULE}\n--use-decoding writes it to [chat]")
    return 0


def _votes(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from dataclasses import asdict

    from workbench.cli.console import command, note, say, write_json
    from workbench.evaluation.votes import DEFINITION, read_votes, said_of, tally

    votes, broken = read_votes(contents.evaluation.votes)
    found = tally(votes)
    if args.json:
        write_json({"tallies": [asdict(each) for each in found], "broken": broken}, indent=2)
    elif said := said_of(found, broken):
        for line in (*said, DEFINITION):
            say(line)
    else:
        begin = command("rate", str(project.folder), contents.evaluation.id)
        note(f"no votes yet: {begin} begins")
    return 0


def _export(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from workbench.cli.console import note, say, write_json
    from workbench.evaluation.judged import export

    path, exported = export(contents, args.export, args.to)
    if args.json:
        write_json({"file": str(path), "rows": len(exported.rows), "left_out": dict(exported.left_out)})
        return 0
    say(str(path))
    note(f"{len(exported.rows)} rows")
    for why, count in exported.left_out.items():
        note(f"left out: {count}, {why}")
    return 0


def _predictions(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from workbench.cli.console import note, say
    from workbench.cli.evaluations import find_model
    from workbench.evaluation.predictions import write_predictions

    number = find_model(contents, args.model)
    answers = contents.results[number].first_answers
    texts = [answers[row.key].text if row.key in answers else "" for row in contents.rows]
    write_predictions(
        args.predictions, [(row.id, text) for row, text in zip(contents.rows, texts, strict=True)]
    )
    say(str(args.predictions))
    note(f"{len(texts):,} answers of {contents.plan.contestants[number].name}, in the order of the rows")
    if empty := sum(not text.strip() for text in texts):
        note(f"warning: {empty:,} of them are empty")
    return 0


def _check_predictions(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    """Exit code 1 where a course would refuse the file."""
    from dataclasses import asdict

    from workbench.cli.console import note, say, write_json
    from workbench.cli.evaluations import find_model
    from workbench.evaluation.contents import question
    from workbench.evaluation.predictions import Asked, check_predictions
    from workbench.project.base_model import locate
    from workbench.prompts.tokenizer import load_tokenizer

    target = contents.plan.contestants[find_model(contents, args.model)].target
    folder = locate(target.base, target.project_folder, weights=False).folder
    special = load_tokenizer(folder, target.prompt.special_tokens).special_texts
    asked = [Asked(row.id, question(row)) for row in contents.rows]
    found = check_predictions(args.check_predictions, asked, sorted(special))
    if args.json:
        write_json([asdict(finding) for finding in found], indent=2)
    for finding in () if args.json else found:
        say(f"{finding.level}: {finding.name}: {finding.what}")
    if not found and not args.json:
        note(f"nothing is wrong with it: {len(asked):,} rows")
    return 1 if any(finding.level == "red" for finding in found) else 0


def _note(args: argparse.Namespace, project: "OpenProject", contents: "Contents") -> int:
    from workbench.runs.notes import add_note

    add_note(contents.evaluation, args.note)
    return 0


ACTS = {
    "rows": _rows,
    "labels": _labels,
    "checks": _checks,
    "grid": _grid,
    "use_decoding": _grid,
    "votes": _votes,
    "export": _export,
    "predictions": _predictions,
    "check_predictions": _check_predictions,
    "note": _note,
}
"""Option to what it does."""
