"""What lies over the panes until it is answered."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over the panes that answers once.

    A key that was typed ahead may reach a dialog that is closed already: Textual would tell the answer again,
    and close the screen below, or end the app.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Answer and close."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
