"""Runs side by side as text and tables: what `workbench compare` prints and the train pane shows."""

from os.path import commonprefix

from rich.table import Table
from rich.text import Text

from workbench.runs.compare import Compared, Comparison
from workbench.ui.text import shown

LONGEST = 60
"""Characters of a value that are shown."""
LEAD_IN = 12
"""Characters before the place where long values begin to differ."""


def figure_cells(each: Compared, metric: str) -> tuple[str, str]:
    """Best value with its step, and last value; empty where it was not measured."""
    figure = each.figures.get(metric)
    if figure is None:
        return "", ""
    return f"{figure.best:.4g} @{figure.step}", f"{figure.last:.4g}"


def differences(comparison: Comparison) -> Table:
    """A row for each setting that differs, a column for each run."""
    table = Table(box=None, pad_edge=False)
    table.add_column("differs")
    for number, _ in enumerate(comparison.runs, 1):
        table.add_column(str(number), overflow="fold")
    for key, values in comparison.differences.items():
        table.add_row(shown(key), *map(shown, _shortened(values)))
    return table


def _shortened(values: list[object]) -> list[str]:
    """Values as text, long ones from where they begin to differ; a dash for a run that does not tell."""
    texts = [", ".join(map(str, each)) if isinstance(each, list) else str(each) for each in values]
    told = [text for text, value in zip(texts, values, strict=True) if value is not None]
    start = max(0, len(commonprefix(told)) - LEAD_IN) if max(map(len, told)) > LONGEST else 0
    return ["–" if value is None else _cut(text, start) for text, value in zip(texts, values, strict=True)]


def _cut(text: str, start: int) -> str:
    end = start + LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def judgements(comparison: Comparison) -> Text:
    """Of each run its name, every finding of its verdict, and its journal."""
    text = Text()
    for number, each in enumerate(comparison.runs, 1):
        text.append_text(shown(f"\n{number}  {each.run.id}\n", "bold"))
        for index, finding in enumerate(each.verdict.findings):
            text.append_text(shown(f"   {each.verdict.line if index == 0 else finding}\n"))
        for line in each.notes.strip().splitlines():
            text.append_text(shown(f"   | {line}\n"))
    return text
