"""Help for where you are, and the palette: both are made from the registry."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.ui.actions import Action, actions
from workbench.ui.guide import PURPOSES
from workbench.ui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from workbench.ui.app import WorkbenchApp

MOVING = (
    ("↑ ↓ j k", "Move by one"),
    ("pgup pgdn", "Move by a page"),
    ("home end", "First, last"),
    ("tab", "Next part of the pane"),
)


class HelpScreen(Dialog[None]):
    """Every key of this pane and of the app, with its sentence."""

    BINDINGS = [Binding("escape,q,question_mark,f1,enter", "dismiss", "Close")]

    def __init__(self, places: Mapping[str, str]) -> None:
        """`places` are the places of the registry whose actions work now, each with its heading."""
        super().__init__()
        self.places = places

    def compose(self) -> ComposeResult:
        """One scrollable text."""
        with VerticalScroll(id="help"):
            yield Static(self._text())

    def _text(self) -> Text:
        text = Text()
        for place, heading in {**self.places, "app": "Everywhere"}.items():
            text.append(f"{heading}\n", style="bold underline")
            if purpose := PURPOSES.get(place):
                text.append(f"{purpose}\n")
            for action in actions(place):
                text.append(f"  {action.key:<10}", style="bold")
                text.append(f"{action.help}\n")
            text.append("\n")
        text.append("Moving\n", style="bold underline")
        for keys, help in MOVING:
            text.append(f"  {keys:<10}", style="bold")
            text.append(f"{help}\n")
        text.append("\n  T walks through the panes. ^p finds any action by name.")
        text.append("\n  Hold shift to select with the mouse. esc closes this.")
        return text


class ActionProvider(Provider):
    """The palette's entries: the actions of the app and of the pane in view."""

    def _offered(self) -> list[tuple[str, Action]]:
        app = cast("WorkbenchApp", self.app)
        return [
            (f"{action.place.partition('.')[0]}: {action.label}", action)
            for action in actions("app", *(place for place in app.pane.places if place != "form"))
        ]

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for name, action in self._offered():
            yield DiscoveryHit(name, partial(self._run, action), help=f"{action.help}  ({action.key})")

    async def search(self, query: str) -> Hits:
        """Those whose name or sentence matches."""
        matcher = self.matcher(query)
        for name, action in self._offered():
            score = max(matcher.match(name), matcher.match(action.help))
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(name),
                    partial(self._run, action),
                    help=f"{action.help}  ({action.key})",
                )

    async def _run(self, action: Action) -> None:
        await cast("WorkbenchApp", self.app).carry_out(action)
