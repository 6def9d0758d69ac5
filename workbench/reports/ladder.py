"""What evaluations found: the part of a report that says whether the fine-tuning was worth it."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.evaluation.checks.registry import CHECKS
from workbench.evaluation.contents import Contents, question, read_contents
from workbench.evaluation.corrections import read_corrections
from workbench.evaluation.issues import IssueLog
from workbench.evaluation.jobs import Listed, list_evaluations
from workbench.evaluation.ladder import Ladder
from workbench.evaluation.measures import cell, measured, told
from workbench.evaluation.plan import Plan
from workbench.evaluation.standing import Table as Standings
from workbench.evaluation.status import read_status
from workbench.evaluation.votes import DEFINITION, read_votes, said_of, tally
from workbench.reports.document import Bars, Block, Listing, Paragraph, Part, Quote, Table
from workbench.runs.notes import read_notes

TOLD = 8
"""Evaluations of a report, the newest ones."""
WORST = 3
"""Rows of an evaluation whose answers are quoted."""
QUOTED = 2_000
"""Characters of a quoted text; reports are read, not searched."""


def ladder_parts(project_folder: Path, run: str = "") -> list[Part]:
    """The evaluations, the newest first; those that measure a checkpoint of `run` where one is named."""
    found = [each for each in list_evaluations(project_folder) if not run or _measures(each, run)]
    parts = [part for each in found[:TOLD] for part in _evaluation(each)]
    if len(found) > TOLD:
        parts.append(Part("Earlier", [Paragraph(f"{len(found) - TOLD} more are in the project")], level=3))
    return [Part("Evaluations"), *parts] if parts else []


def _measures(listed: Listed, run: str) -> bool:
    return listed.plan is not None and any(each.target.run == run for each in listed.plan.contestants)


def _evaluation(listed: Listed) -> list[Part]:
    try:
        blocks = list(evaluation_blocks(read_contents(listed.evaluation)))
    except WorkbenchError as error:
        blocks = [Paragraph(str(error))]
    return [Part(listed.evaluation.id, blocks, level=3)]


def evaluation_blocks(contents: Contents) -> Iterator[Block]:
    """One evaluation: the table with its definitions, labels, checks, votes, the worst rows, notes."""
    yield Paragraph(_about(contents))
    table = Ladder(contents.evaluation).read()
    if remarks := [*read_status(contents.evaluation).warnings, *table.remarks]:
        yield Listing(remarks)
    if not measured(table):
        yield Paragraph("nothing is measured yet")
        return
    yield from _tables(table, contents.plan)
    yield from _draws(table)
    yield from _labels(table)
    yield from _checks(contents)
    yield from _judged(contents)
    yield from _worst(contents)


def _about(contents: Contents) -> str:
    plan, status = contents.plan, read_status(contents.evaluation)
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(plan.created))
    settings = plan.settings
    said = [
        f"{made}, {status.state.value}: {len(contents.rows):,} {plan.side} rows",
        f"perplexity as {settings.perplexity}" if settings.perplexity != "off" else "no perplexity",
    ]
    if settings.answers:
        changed = settings.decoding.model_dump(exclude_defaults=True)
        drawn = ", ".join(f"{name} {value}" for name, value in changed.items()) or "the defaults"
        said.append(f"answers drawn with {drawn}")
    if settings.classifier:
        said.append(f"labelled by {settings.classifier}")
    if status.device:
        said.append(status.device)
    return "; ".join(said)


def _tables(table: Standings, plan: Plan) -> Iterator[Block]:
    measures, standings = measured(table), table.standings
    rows = [
        [each.name, *(cell(measure, table, n) for measure in measures)] for n, each in enumerate(standings)
    ]
    says = ["* the best one of a column; ± standard deviation over the draws of examples."]
    titles = [f"{each.title} ({each.better} is better)" if each.better else each.title for each in measures]
    says += [f"{each.title}: {each.name}: {each.definition or each.about}." for each in measures]
    yield Table(["model", *titles], rows, says=says)
    if said := told(table, plan):
        yield Listing(said)
    figures = [(each.name, measures[0].of(each)) for each in standings]
    yield Bars(measures[0].name, [(name, figure.mean if figure else math.nan) for name, figure in figures])


def _draws(table: Standings) -> Iterator[Block]:
    lines = []
    for standing in table.standings:
        for draw in standing.draws:
            rows = ", ".join(f"{source}:{row}" for source, row in draw.rows)
            tags = "; ".join(
                f"{tag}: " + ", ".join(f"{value} {count}" for value, count in counts.items())
                for tag, counts in draw.tags.items()
            )
            balance = f" ({tags})" if tags else ""
            lines.append(f"{standing.name}, draw {draw.repeat + 1}, seed {draw.seed}: rows {rows}{balance}")
    if lines:
        yield Paragraph("Examples before the prompts, each as source:row from 0:")
        yield Listing(lines)


def _labels(table: Standings) -> Iterator[Block]:
    lines = []
    for standing in table.standings:
        if (scores := standing.labels) is not None:
            low, high = scores.interval
            lines.append(
                f"{standing.name}: accuracy {scores.accuracy:.3f} (95%: {low:.3f} to {high:.3f}), always "
                f"{scores.baseline.label} reaches {scores.baseline.accuracy:.3f}"
            )
            lines += [f"{standing.name}: {remark}" for remark in scores.remarks]
    if table.references is not None:
        lines.append(f"the classifier itself, on the references: accuracy {table.references.accuracy:.3f}")
    if lines:
        yield Listing(lines)


def _checks(contents: Contents) -> Iterator[Block]:
    checked = [results.checks for results in contents.results]
    if not any(each.rows for each in checked):
        return
    found = [n for n, _ in enumerate(CHECKS) if any(each.counts[n].rows for each in checked)]
    names = list(CHECKS)
    rows = [
        [names[n], *(f"{each.counts[n].rows:,} of {each.rows:,}" if each.rows else "" for each in checked)]
        for n in found
    ]
    titles = ["answers with", *(each.name for each in contents.plan.contestants)]
    if rows:
        yield Table(titles, rows, says=[f"{names[n]}: {CHECKS[names[n]].about}" for n in found])
    else:
        yield Paragraph("No check found anything in the answers.")


def _judged(contents: Contents) -> Iterator[Block]:
    evaluation = contents.evaluation
    votes, broken = read_votes(evaluation.votes)
    if said := said_of(tally(votes), broken):
        yield Paragraph("Rated blind:")
        yield Listing([*said, DEFINITION])
    ids = {row.key: row.id for row in contents.rows}
    issues = [
        f"{'open' if each.open else 'settled'}: row {ids.get(each.key, each.key)}, {each.contestant}: "
        + (f"{each.kind}: {each.text}" if each.text else each.kind)
        for each in IssueLog(evaluation.issues).read()
    ]
    if issues:
        yield Paragraph("Noted about answers:")
        yield Listing(issues)
    corrections, _ = read_corrections(evaluation.corrections)
    if corrections:
        yield Paragraph(f"Answers that a person wrote better: {len(corrections)}")
    if notes := read_notes(evaluation).strip():
        yield Quote("Notes", notes)


def _worst(contents: Contents) -> Iterator[Block]:
    """Of the last contestant, which is the newest model where they are checkpoints; with all answers."""
    names = [each.name for each in contents.plan.contestants]
    with_answers = [results.first_answers for results in contents.results]
    if not any(with_answers):
        return
    yield Paragraph(f"The rows that {names[-1]} is worst at, with all answers:")
    for result in contents.results[-1].worst_first[:WORST]:
        yield Quote(f"Row {result.row.id}: asked", _cut(question(result.row)))
        if result.row.reference is not None:
            yield Quote("reference", _cut(result.row.reference))
        for name, answers in zip(names, with_answers, strict=True):
            if (answer := answers.get(result.row.key)) is not None:
                yield Quote(name, _cut(answer.text or answer.skipped))


def _cut(text: str) -> str:
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
