"""What the views of the data pane share."""

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from workbench.ui.panes.base import Acting

if TYPE_CHECKING:
    from workbench.ui.panes.data.pane import DataPane


NO_SOURCE = "no [[data.source]] in project.toml yet: a adds one from a data file"


class DataView(Acting):
    """One view, filled again whenever more is known of the data; its actions are of place `data.NAME`."""

    NAME: ClassVar[str]
    NEEDS_SURVEY: ClassVar[bool] = False
    """Shows what only the survey of all rows tells: it is started when the view is first shown."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {"data--red", "data--yellow", "data--green"}

    @property
    def pane(self) -> "DataPane":
        """The pane around it, typed."""
        from workbench.ui.panes.data.pane import DataPane

        return next(node for node in self.ancestors if isinstance(node, DataPane))

    def came_into_view(self) -> None:
        """Called each time the view is shown: keys go to it."""

    def fill(self) -> None:
        """Show what is known now of dataset, selection and survey. The same may be shown again."""

    def colour(self, name: str) -> Style:
        """`red`, `yellow` or `green` of the theme; never the only sign of what it says."""
        return self.get_component_rich_style(f"data--{name}")

    def tell(self, where: str, text: str | Text) -> None:
        """Write one of the view's lines; an empty one takes no room."""
        line = self.query_one(where, Static)
        line.update(text)
        line.display = bool(str(text))
