"""Labels of one contestant's answers: which are taken for which, F1 of each, and what has to be beaten."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import ModelView
from workbench.ui.text import shown

if TYPE_CHECKING:
    from workbench.evaluation.labels import LabelScores

NO_LABELS = (
    "No labels: evaluation.classifier (3 Setup) names what labels the answers, evaluation.label the tag with "
    "the true ones"
)


class LabelsView(ModelView):
    """One scrolling text."""

    NAME = "labels"
    BINDINGS = bindings("evaluate.labels")

    def compose(self) -> ComposeResult:
        """Which contestant, and its labels."""
        yield Static(id="labels-said")
        with VerticalScroll():
            yield Static(id="labels-figures")

    def came_into_view(self) -> None:
        """Keys scroll the text."""
        self.query_one(VerticalScroll).focus()

    def fill(self) -> None:
        """What is labelled by now."""
        nothing = self.nothing_yet()
        if nothing or self.seen is None:
            self.tell("#labels-said", shown(nothing))
            self.query_one("#labels-figures", Static).update("")
            return
        assert self.seen.table is not None
        self.tell("#labels-said", self.model_line())
        scores, references = self.seen.table.standings[self.pane.model].labels, self.seen.table.references
        shown_scores: RenderableType = Text(NO_LABELS)
        if scores is not None:
            shown_scores = Group(_summary(scores, references), _by_label(scores), Text(), *_confusion(scores))
        elif references is not None:
            shown_scores = Group(Text("No answer is labelled yet\n"), _classifier(references))
        self.query_one("#labels-figures", Static).update(shown_scores)

    def why_not(self, name: str) -> str | None:
        """Another contestant needs an evaluation."""
        return self.nothing_yet() or None


def _summary(scores: "LabelScores", references: "LabelScores | None") -> Text:
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
        text.append_text(_classifier(references))
    for remark in scores.remarks:
        text.append_text(shown(f"! {remark}\n", "bold"))
    return text


def _classifier(references: "LabelScores") -> Text:
    return Text(
        f"the classifier itself, on the references: accuracy {references.accuracy:.3f} of "
        f"{references.rows:,} rows: it cannot tell more than that\n"
    )


def _by_label(scores: "LabelScores") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("label", overflow="fold")
    for title in ("precision", "recall", "F1", "rows", "given"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in scores.by_label:
        figures = (f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}")
        table.add_row(shown(each.label), *figures, f"{each.rows:,}", f"{each.given:,}")
    return table


def _confusion(scores: "LabelScores") -> list[RenderableType]:
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
