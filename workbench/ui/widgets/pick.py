"""Choose one of a list, with a filter."""

from collections.abc import Sequence

from textual.screen import ModalScreen


class Pick(ModalScreen[int | None]):
    """Answers the index of the chosen item, None on esc."""

    def __init__(self, title: str, items: Sequence[str], *, chosen: int = 0) -> None:
        super().__init__()
