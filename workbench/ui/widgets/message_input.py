"""The line a person writes messages on: Enter sends, ctrl+j breaks the line, esc leaves."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea

WRITING = "enter sends  ^j new line  esc leaves"
LEFT = "i writes"


class MessageInput(TextArea):
    """A text area of a few lines.

    Enter and shift+enter are the same key to most terminals, so that ctrl+j makes the new line.
    """

    @dataclass
    class Sent(Message):
        """Enter was pressed on a text that is not blank."""

        text: str

    class Left(Message):
        """Esc was pressed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(placeholder="Type a message", id=id)
        self.border_subtitle = LEFT

    def on_focus(self) -> None:
        """Say what the keys do now: letters are text here, and commands once the input is left."""
        self.border_subtitle = WRITING

    def on_blur(self) -> None:
        """Say how to come back."""
        self.border_subtitle = LEFT

    async def _on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                event.stop()
                event.prevent_default()
                if self.text.strip():
                    self.post_message(self.Sent(self.text.strip()))
            case "ctrl+j":
                event.stop()
                event.prevent_default()
                self.insert("\n")
            case "escape":
                event.stop()
                event.prevent_default()
                self.post_message(self.Left())
            case _:
                await super()._on_key(event)
