"""A walk through the panes: each in view with a card that says what it shows and what to press."""

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from workbench.ui.guide import CARDS
from workbench.ui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from workbench.ui.app import WorkbenchApp


class TourScreen(Dialog[None]):
    """Lies over the desk and moves its panes; esc leaves it there, its end goes back to where it began."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,right", "go(1)", show=False),
        Binding("backspace,left", "go(-1)", show=False),
        Binding("escape,q", "leave", show=False),
    ]

    def __init__(self, panes: dict[str, str], began: str) -> None:
        """
        Args:
            panes: place and title of each pane, in the order of their keys.
            began: the pane to come back to.
        """
        super().__init__()
        self._panes = {place: title for place, title in panes.items() if place in CARDS}
        self._began = began
        self._at = 0

    def compose(self) -> ComposeResult:
        """The card; what lies below is seen through the rest."""
        yield Static(id="card")

    async def on_mount(self) -> None:
        """The first pane."""
        await self._show()

    async def _show(self) -> None:
        place = list(self._panes)[self._at]
        await cast("WorkbenchApp", self.app).show(place)
        card, last = CARDS[place], self._at == len(self._panes) - 1
        text = Text.assemble(
            (f"{self._panes[place]}", "bold"),
            f"   {self._at + 1} of {len(self._panes)}\n",
            f"{card.see}\n",
            (f"{card.press}\n", "bold"),
            ("space " + ("ends" if last else "next"), ""),
            "   backspace before   esc leaves the tour here",
        )
        self.query_one("#card", Static).update(text)
        self.set_class(card.top, "-top")

    async def action_go(self, by: int) -> None:
        """To the pane after or before; after the last one the tour is over."""
        if self._at + by == len(self._panes):
            await cast("WorkbenchApp", self.app).show(self._began)
            self.dismiss()
        elif self._at + by >= 0:
            self._at += by
            await self._show()

    def action_leave(self) -> None:
        """Stay at the pane in view."""
        self.dismiss()
