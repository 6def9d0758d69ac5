"""A token sequence with its loss mask, as text, token by token, or with ids."""

from collections.abc import Sequence, Set
from rich.text import Text
from textual.reactive import reactive
from textual.scroll_view import ScrollView

MODES = ("text", "tokens", "ids")


class TokenView(ScrollView, can_focus=True):
    """What is trained is told from what is only read by colour and by a sign."""

    mode: reactive[str] = reactive("text")

    def show(self, tokens: Sequence[str], ids: Sequence[int], mask: Sequence[int], spans: Sequence[tuple[int, int]], *, stops: Set[int], text: str) -> None:
        """Show T tokens: their shown forms, ids, mask (1 = trained) and character ranges in `text`."""

    def legend(self) -> Text:
        """One line that explains the signs of the present mode."""
        return Text()
