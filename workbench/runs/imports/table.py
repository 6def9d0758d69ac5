"""Tables of losses: CSV, TSV and markdown; OpenAI's fine-tuning results are such a CSV."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import fault
from workbench.runs.imports.foreign import STEP, Foreign, number, role, whole

DELIMITERS = "\t,;"
_RULE = re.compile(r"[\s|:+-]+")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: list[str]


def read_table(path: Path, text: str) -> Foreign:
    """The first table of `text` with a loss among its columns.

    Columns are known by their names: step, epoch, losses, accuracies, learning rate, gradient norm; blank
    cells are steps that were not measured. Without a step column the rows are counted.

    Raises:
        WorkbenchError: no such table; a cell that is no number, with its line and column.
    """
    markdown = any(line.lstrip().startswith("|") for line in text.splitlines())
    lines = list(_markdown(text) if markdown else _delimited(path, text))
    header = next((i for i, line in enumerate(lines) if _has_loss(line.cells)), None)
    if header is None:
        seen = ", ".join(cell.strip() for cell in lines[0].cells[:12]) if lines else ""
        hint = f"it begins with: {seen}" if seen else ""
        raise fault("no table with a column for the training loss or the validation loss", path, hint)
    columns = [cell.strip().strip("*`") for cell in lines[header].cells]
    roles = [role(column) for column in columns]
    found = Foreign(_format(columns, markdown))
    found.ignored = [column for column, place in zip(columns, roles, strict=True) if place is None and column]
    counted = STEP not in roles
    if counted:
        found.remarks.append("there is no step column: the rows are counted as steps")
    doubled = {place for place in roles if place is not None and roles.count(place) > 1}
    if doubled:
        twice = ", ".join(column for column, place in zip(columns, roles, strict=True) if place in doubled)
        raise fault(f"several columns mean the same: {twice}", f"{path}:{lines[header].number}", "keep one")
    _take_rows(path, found, columns, roles, lines[header + 1 :], markdown)
    return found


def _take_rows(
    path: Path,
    found: Foreign,
    columns: list[str],
    roles: list[tuple[str, str] | None],
    lines: list[_Line],
    markdown: bool,
) -> None:
    rows = 0
    for line in lines:
        if markdown and _RULE.fullmatch("|".join(line.cells)):
            continue
        if len(line.cells) != len(columns):
            if markdown and rows:
                return  # another table, further down
            raise fault(f"{len(line.cells)} cells, the header has {len(columns)}", f"{path}:{line.number}")
        rows += 1
        step: int | None = rows
        figures = []
        for column, place, cell in zip(columns, roles, line.cells, strict=True):
            if place is None:
                continue
            try:
                value = number(cell)
                if place == STEP:
                    step = None if value is None else whole(value)
                elif value is not None:
                    figures.append((place, value))
            except ValueError:
                kind = "step" if place == STEP else "number"
                where = f"{path}:{line.number}: {column}"
                raise fault(f"{cell.strip()[:40]!r} is no {kind}", where) from None
        if step is not None:
            found.add(step, figures)
        elif figures:
            raise fault("figures without a step", f"{path}:{line.number}")


def _has_loss(cells: list[str]) -> bool:
    return any(role(cell) in (("training", "loss"), ("validation", "validation_loss")) for cell in cells)


def _format(columns: list[str], markdown: bool) -> str:
    if {"elapsed_examples", "training_loss"} <= set(columns):
        return "OpenAI fine-tuning results"
    return "markdown table" if markdown else "table"


def _markdown(text: str) -> Iterator[_Line]:
    for count, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("|"):
            yield _Line(count, line.strip().strip("|").split("|"))


def _delimited(path: Path, text: str) -> Iterator[_Line]:
    """Rows of the delimiter that the first line with words has most of."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Line(reader.line_num, cells)
    except csv.Error as error:
        raise fault(f"is no table: {error}", f"{path}:{reader.line_num}") from error
