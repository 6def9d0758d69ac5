"""What the views of the evaluate pane share."""

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widgets import Static

from workbench.ui.panes.base import Acting

if TYPE_CHECKING:
    from workbench.ui.panes.evaluate.pane import EvaluatePane
    from workbench.ui.panes.evaluate.seen import Seen


class EvaluateView(Acting):
    """One view, filled again whenever more was measured; its actions are of place `evaluate.NAME`."""

    NAME: ClassVar[str]

    @property
    def pane(self) -> "EvaluatePane":
        """The pane around it, typed."""
        from workbench.ui.panes.evaluate.pane import EvaluatePane

        return next(node for node in self.ancestors if isinstance(node, EvaluatePane))

    @property
    def seen(self) -> "Seen | None":
        """The chosen evaluation as it was last read."""
        return self.pane.seen

    def came_into_view(self) -> None:
        """Called each time the view is shown: keys go to it."""

    def fill(self) -> None:
        """Show what is measured by now. The same may be shown again."""

    def tell(self, where: str, text: str | Text) -> None:
        """Write one of the view's lines; an empty one takes no room."""
        line = self.query_one(where, Static)
        line.update(text)
        line.display = bool(str(text))

    def nothing_yet(self) -> str:
        """Why there is nothing to show; empty when there is."""
        seen = self.seen
        if seen is None:
            return self.pane.nothing
        if seen.problem:
            return f"✗ {seen.problem}"
        return "" if seen.contents.rows else "the rows are being looked for"


class ModelView(EvaluateView):
    """A view of one contestant at a time, which left and right change for all such views."""

    def do_next_model(self) -> None:
        """The contestant after this one."""
        self.pane.step_model(1)

    def do_previous_model(self) -> None:
        """The contestant before this one."""
        self.pane.step_model(-1)

    def model_line(self) -> Text:
        """Which contestant is looked at, and that there are others."""
        from workbench.ui.text import shown

        seen = self.seen
        assert seen is not None
        count = len(seen.contents.plan.contestants)
        line = shown(seen.contents.plan.contestants[self.pane.model].name, "bold")
        return line.append(f"   {self.pane.model + 1} of {count}: ← →", "not bold") if count > 1 else line


def in_sight(count: int, room: int, chosen: int, first: int) -> list[int]:
    """Which of `count` columns are drawn where `room` fit: `chosen` always, from `first` on if it can be."""
    first = max(0, min(first, chosen, count - room))
    first = max(first, chosen - room + 1)
    return list(range(first, min(count, first + room)))
