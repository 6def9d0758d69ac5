"""Labels of answers as text: what has to be beaten, F1 of each, and which are taken for which."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from workbench.evaluation.labels import LabelScores
from workbench.ui.text import shown


def labels_text(scores: LabelScores, references: LabelScores | None) -> RenderableType:
    """All of it, as `workbench evaluation --labels` prints it and the evaluate pane shows it."""
    return Group(_summary(scores, references), _by_label(scores), Text(), *_confusion(scores))


def _summary(scores: LabelScores, references: LabelScores | None) -> Text:
    low, high = scores.interval
    text = Text.assemble(
        ("accuracy ", ""),
        (f"{scores.accuracy:.3f}", "bold"),
        f"  95%: {low:.3f} to {high:.3f}  of {scores.rows:,} rows\n",
        ("majority baseline ", ""),
        (f"{scores.baseline.accuracy:.3f}", "bold"),
    )
    text.append_text(
        shown(f"  always {scores.baseline.label}; weighted F1 {scores.baseline.weighted_f1:.3f}")
    )
    text.append(f", macro F1 {scores.baseline.macro_f1:.3f}\n")
    text.append(f"weighted F1 {scores.weighted.f1:.3f}  macro F1 {scores.macro.f1:.3f}\n")
    if references is not None:
        text.append_text(classifier_text(references))
    for remark in scores.remarks:
        text.append_text(shown(f"! {remark}\n", "bold"))
    return text


def classifier_text(references: LabelScores) -> Text:
    """How good the classifier itself is."""
    return Text(
        f"the classifier itself, on the references: accuracy {references.accuracy:.3f} of "
        f"{references.rows:,} rows: it cannot tell more than that\n"
    )


def _by_label(scores: LabelScores) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("label", overflow="fold")
    for title in ("precision", "recall", "F1", "rows", "given"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in scores.by_label:
        figures = (f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}")
        table.add_row(shown(each.label), *figures, f"{each.rows:,}", f"{each.given:,}")
    return table


def _confusion(scores: LabelScores) -> list[RenderableType]:
    """A row for each true label, a column for each predicted one; columns are numbered to stay narrow."""
    table = Table(box=None, pad_edge=False)
    table.add_column("true ↓  predicted →", overflow="fold")
    for number, _ in enumerate(scores.by_label, 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for number, each in enumerate(scores.by_label):
        cells = [
            Text(f"{int(count):,}" if count else "·", "bold" if other == number else "")
            for other, count in enumerate(scores.confusion[number])
        ]
        table.add_row(shown(f"{number + 1} {each.label}"), *cells)
    return [table]
