"""What the views of the data pane share."""

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style

from workbench.ui.panes.viewed import View

if TYPE_CHECKING:
    from workbench.ui.panes.data.pane import DataPane


NO_SOURCE = "no [[data.source]] in project.toml yet: a adds one from a data file"


class DataView(View):
    """One view, filled again whenever more is known of the data; its actions are of place `data.NAME`."""

    NEEDS_SURVEY: ClassVar[bool] = False
    """Shows what only the survey of all rows tells: it is started when the view is first shown."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {"data--red", "data--yellow", "data--green"}

    @property
    def pane(self) -> "DataPane":
        """The pane around it, typed."""
        from workbench.ui.panes.data.pane import DataPane

        return next(node for node in self.ancestors if isinstance(node, DataPane))

    def colour(self, name: str) -> Style:
        """`red`, `yellow` or `green` of the theme; never the only sign of what it says."""
        return self.get_component_rich_style(f"data--{name}")
