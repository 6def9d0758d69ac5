"""An app that holds the widgets of a test and nothing else, and what it shows as text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

import workbench.ui.widgets

Heard = TypeVar("Heard", bound=Message)

STYLES = Path(workbench.ui.widgets.__file__).parent / "widgets.tcss"


class WidgetApp(App[None]):
    """Shows these widgets and keeps what they say."""

    CSS_PATH = [STYLES]

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets = widgets
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def heard_of(self, kind: type[Heard]) -> list[Heard]:
        return [message for message in self.heard if isinstance(message, kind)]

    async def _dispatch_message(self, message: Message) -> None:
        self.heard.append(message)
        await super()._dispatch_message(message)


def screen_lines(app: App[Any]) -> list[str]:
    """The screen as text, blanks at line ends left out."""
    return [
        "".join(segment.text for segment in strip).rstrip()
        for strip in app.screen._compositor.render_strips()
    ]


async def until(pilot: Pilot[Any], condition: Callable[[], bool], pauses: int = 400) -> None:
    """Let the app work until the condition holds."""
    for _ in range(pauses):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("not reached")
