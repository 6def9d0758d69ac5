"""The train pane: the project's runs, their live curves, one beside the other, and the queue."""

from workbench.ui.panes.train.pane import TrainPane

__all__ = ["TrainPane"]
