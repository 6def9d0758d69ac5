"""The line a person writes messages on: Enter sends, ctrl+j breaks the line, esc leaves."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea


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

    def __init__(self, **kwargs: str) -> None:
        super().__init__(placeholder="Type a message; enter sends, ^j new line, esc leaves to the keys", **kwargs)

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
