"""The chat pane: one or more models answer; answers are looked at token by token, branched, judged, kept."""

from workbench.ui.panes.chat.pane import ChatPane

__all__ = ["ChatPane"]
