"""A question with two answers that says what follows from yes."""

from textual.screen import ModalScreen


class Confirm(ModalScreen[bool]):
    """y or enter on Yes answers True; n and esc answer False."""

    def __init__(self, question: str, consequence: str = "") -> None:
        super().__init__()
        self.question, self.consequence = question, consequence
