"""Placeholder until evaluation/grid.py is there."""

from textual.app import ComposeResult
from textual.widgets import Static

from workbench.ui.actions import bindings
from workbench.ui.panes.evaluate.view import EvaluateView


class GridView(EvaluateView):
    """x"""

    NAME = "grid"
    BINDINGS = bindings("evaluate.grid")

    def compose(self) -> ComposeResult:
        """x"""
        yield Static("later")

    def do_use(self) -> None:
        """x"""
