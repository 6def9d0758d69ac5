"""`where`: which rows of a source are wanted at all, judged before anything is made of them."""

from collections.abc import Callable, Mapping
from typing import Any

from workbench.data.example import Row
from workbench.data.mapping.cells import reader, shown, text_of
from workbench.data.mapping.searching import Search
from workbench.project.source import Condition

Filter = Callable[[Row], tuple[str, str] | None]
"""Reason and detail of a row that is filtered out, None for one that stays. Raises RowError for a row without
the column: a condition that cannot be judged is a fault, no choice."""


def row_filter(where: Mapping[str, Condition]) -> Filter:
    """All conditions together; the first that does not hold names the reason."""
    tests = [(f"where {column}", _test(column, condition)) for column, condition in where.items()]

    def judge(row: Row) -> tuple[str, str] | None:
        for reason, test in tests:
            if detail := test(row):
                return reason, detail
        return None

    return judge


def _test(column: str, condition: Condition) -> Callable[[Row], str]:
    """What does not hold of a row's cell; empty when all does."""
    read = reader(column)
    pattern = Search(condition.matches) if condition.matches is not None else None
    choices = [condition.among] if condition.among is not None else []
    if condition.equals is not None:
        choices.append([condition.equals])
    fewest, most = condition.min_chars, condition.max_chars

    def test(row: Row) -> str:
        value = read(row)
        text = text_of(value, column)
        if not all(any(_equal(value, text, one) for one in wanted) for wanted in choices):
            return f"it is {shown(text)}"
        if pattern and not pattern(text):
            return f"no match in {shown(text)}"
        if fewest is not None and len(text) < fewest:
            return f"{len(text)} characters, fewer than {fewest}"
        if most is not None and len(text) > most:
            return f"{len(text)} characters, more than {most}"
        return ""

    return test


def _equal(value: Any, text: str, wanted: str | int | float | bool) -> bool:
    """Equal as numbers, or as texts: the cells of a CSV file are texts all of them."""
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
    return text == text_of(wanted, "")
