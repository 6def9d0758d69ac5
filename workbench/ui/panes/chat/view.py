"""What the views of the chat pane share: they take the place of the conversation until esc."""

from typing import TYPE_CHECKING, ClassVar

from workbench.ui.panes.base import Acting

if TYPE_CHECKING:
    from workbench.ui.panes.chat.pane import ChatPane


class ChatView(Acting):
    """One view; its actions are of place `chat.NAME`."""

    NAME: ClassVar[str]

    @property
    def pane(self) -> "ChatPane":
        """The pane around it, typed."""
        from workbench.ui.panes.chat.pane import ChatPane

        return next(node for node in self.ancestors if isinstance(node, ChatPane))

    def came_into_view(self) -> None:
        """Called each time the view is shown: keys go to it."""

    def do_back(self) -> None:
        """The conversation again."""
        self.pane.show_talk()
