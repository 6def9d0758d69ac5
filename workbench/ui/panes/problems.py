"""What is shown instead of the panes when a project cannot be opened."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.errors import WorkbenchError
from workbench.ui.panes.base import Pane
from workbench.ui.text import shown


class ProblemsPane(Pane):
    """Every problem of the project with its place and what to do."""

    PLACE = "problems"

    def __init__(self, error: WorkbenchError, *, id: str) -> None:
        super().__init__(id=id)
        self.error = error

    @property
    def places(self) -> dict[str, str]:
        """Only what works everywhere."""
        return {}

    def came_into_view(self) -> None:
        """A long list scrolls."""
        self.query_one(VerticalScroll).focus()

    def compose(self) -> ComposeResult:
        """The problems, one a paragraph."""
        text = Text("This project cannot be opened yet\n\n", style="bold")
        for problem in self.error.problems:
            text.append("! ", style="bold")
            text.append_text(shown(str(problem)))
            text.append("\n\n")
        text.append("f5 reads it again once it is mended, p opens another project", style="dim")
        with VerticalScroll(id="list"):
            yield Static(text)
