"""Labels of one contestant's answers: which are taken for which, F1 of each, and what has to be beaten."""

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.ui.actions import bindings
from workbench.ui.label_text import classifier_text, labels_text
from workbench.ui.panes.evaluate.view import ModelView
from workbench.ui.text import shown

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
            shown_scores = labels_text(scores, references)
        elif references is not None:
            shown_scores = Group(Text("No answer is labelled yet\n"), classifier_text(references))
        self.query_one("#labels-figures", Static).update(shown_scores)

    def why_not(self, name: str) -> str | None:
        """Another contestant needs an evaluation."""
        return self.nothing_yet() or None
