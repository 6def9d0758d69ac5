"""The evaluate pane: what the fine-tuning brought, row by row, answer beside answer, and in one table."""

from workbench.ui.panes.evaluate.pane import EvaluatePane

__all__ = ["EvaluatePane"]
