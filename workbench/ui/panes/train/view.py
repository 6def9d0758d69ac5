"""What the views of the train pane share: they take the place of the runs until esc."""

from typing import TYPE_CHECKING, ClassVar

from workbench.runs.folder import Run
from workbench.ui.panes.base import Acting

if TYPE_CHECKING:
    from workbench.ui.panes.train.pane import TrainPane


class TrainView(Acting):
    """One view; its actions are of place `train.NAME`."""

    NAME: ClassVar[str]

    @property
    def pane(self) -> "TrainPane":
        """The pane around it, typed."""
        from workbench.ui.panes.train.pane import TrainPane

        return next(node for node in self.ancestors if isinstance(node, TrainPane))

    @property
    def in_view(self) -> bool:
        """It is what the screen shows."""
        return self.pane.in_view and self.pane.shown_view is self

    def came_into_view(self) -> None:
        """Called each time the view is shown: keys go to it."""

    def chosen_run(self) -> Run | None:
        """The run under the cursor, if there is one."""
        return None

    def do_open(self) -> None:
        """The run under the cursor, with its curves."""
        run = self.chosen_run()
        assert run is not None
        self.do_back()
        self.pane.choose(run)

    def do_back(self) -> None:
        """The runs again."""
        self.pane.show_runs()
