"""The data pane: its rows and sources, how they are cleaned, divided and measured, and what is wrong."""

from workbench.ui.panes.data.pane import DataPane
from workbench.ui.panes.data.row_text import DETAIL_CHARACTERS

__all__ = ["DETAIL_CHARACTERS", "DataPane"]
