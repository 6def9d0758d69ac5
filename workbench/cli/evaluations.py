"""What the commands about evaluations share: finding one, a row of it and a model of it, and its table."""

import argparse
from typing import TYPE_CHECKING, Any

from workbench.errors import fault

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table as RichTable

    from workbench.evaluation.contents import Contents
    from workbench.evaluation.folder import Evaluation
    from workbench.evaluation.plan import Plan
    from workbench.evaluation.records import ScoredRow
    from workbench.evaluation.standing import Table


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """`EVALUATION`: for `find_evaluation`."""
    parser.add_argument("evaluation", metavar="EVALUATION", help="an evaluation's id, or `latest`")


def find_evaluation(project_folder: "Path", text: str) -> "Evaluation":
    """The evaluation that a person means.

    Raises:
        WorkbenchError: there is no such evaluation.
    """
    import difflib

    from workbench.evaluation.jobs import list_evaluations

    known = [each.evaluation for each in list_evaluations(project_folder)]
    if not known:
        raise fault("there are no evaluations yet", project_folder, "workbench evaluate PROJECT starts one")
    if text == "latest":
        return known[0]
    for each in known:
        if each.id == text:
            return each
    near = difflib.get_close_matches(text, [each.id for each in known], n=1)
    hint = f"did you mean {near[0]}?" if near else f"the newest is {known[0].id}"
    raise fault(f"no evaluation {text!r}", project_folder, hint)


def row_names(contents: "Contents") -> dict[tuple[int, int], str]:
    """What each row is called: its id, or source:row where others have the same id."""
    from collections import Counter

    counts = Counter(row.id for row in contents.rows)
    return {row.key: row.id if counts[row.id] == 1 else f"{row.source}:{row.row}" for row in contents.rows}


def find_row(contents: "Contents", text: str) -> "ScoredRow":
    """The row of this id, of this source:row, or of the one id that begins so.

    Raises WorkbenchError: none, or several.
    """
    names = row_names(contents)
    for found in (
        [row for row in contents.rows if row.id == text],
        [row for row in contents.rows if f"{row.source}:{row.row}" == text],
        [row for row in contents.rows if row.id.startswith(text)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            such = ", ".join(names[row.key] for row in found[:5])
            raise fault(f"{len(found)} rows begin with {text!r}", contents.evaluation.id, f"such as {such}")
    raise fault(
        f"no row {text!r}", contents.evaluation.id, "workbench evaluation PROJECT ID --rows lists them"
    )


def find_model(contents: "Contents", text: str) -> int:
    """The number of the contestant of this name; the last one for an empty text. Raises WorkbenchError."""
    names = [contestant.name for contestant in contents.plan.contestants]
    if not text:
        return len(names) - 1
    if text not in names:
        raise fault(f"no model {text!r}", contents.evaluation.id, f"there are: {', '.join(names)}")
    return names.index(text)


def figures(table: "Table") -> "RichTable":
    """The table of contestants, the best of each column with a star."""
    from rich.table import Table as RichTable

    from workbench.evaluation.measures import cell, measured
    from workbench.ui.text import shown

    drawn = RichTable(box=None, pad_edge=False)
    drawn.add_column("model", overflow="fold")
    measures = measured(table)
    for measure in measures:
        drawn.add_column(measure.title, justify="right", no_wrap=True)
    for number, standing in enumerate(table.standings):
        name = f"{standing.name}{' (best)' if standing.best else ''}"
        drawn.add_row(shown(name), *(cell(measure, table, number) for measure in measures))
    return drawn


def said(table: "Table", plan: "Plan") -> list[str]:
    """Below the table: what its columns are, who is told apart from the first, what is missing."""
    from workbench.evaluation.measures import measured, told

    measures = measured(table)
    lines = [f"{each.title:<10} {each.line}" for each in measures]
    if lines:
        lines.append(f"{'*':<10} the best of its column; ↓ lower is better, ↑ higher is better")
    lines += [each.definition for each in measures if each.definition]
    return lines + told(table, plan)


def plain(contents: "Contents", table: "Table") -> dict[str, Any]:
    """All of it for programs."""
    from dataclasses import asdict

    from workbench.evaluation.status import read_status

    status = asdict(read_status(contents.evaluation))
    standings = []
    for standing in table.standings:
        figures = asdict(standing)
        figures["draws"] = [draw.model_dump() for draw in standing.draws]
        if standing.labels is not None:
            figures["labels"]["confusion"] = standing.labels.confusion.tolist()
        standings.append(figures)
    return {
        "id": contents.evaluation.id,
        "folder": str(contents.evaluation.folder),
        "status": status,
        "plan": contents.plan.model_dump(mode="json"),
        "rows": len(contents.rows),
        "common": table.common,
        "standings": standings,
        "remarks": table.remarks,
    }
