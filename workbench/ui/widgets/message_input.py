"""The line a person writes messages on: Enter sends, ctrl+j breaks the line, esc leaves."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea

WRITING = "enter {doing}  ^j new line  esc leaves"
LEFT = "i writes"


class MessageInput(TextArea):
    """A text area of a few lines.

    Enter and shift+enter are the same key to most terminals, so that ctrl+j makes the new line.
    """

    @dataclass
    class Sent(Message):
        """Enter was pressed; the text is blank only where that was allowed."""

        text: str

    class Left(Message):
        """Esc was pressed."""

    def __init__(self, *, id: str | None = None, blank: bool = False, doing: str = "sends") -> None:
        """`blank`: enter also takes a blank text; `doing`: what enter does."""
        super().__init__(placeholder="Type a message", id=id)
        self._blank, self._doing = blank, doing
        self.border_subtitle = LEFT

    def on_focus(self) -> None:
        """Say what the keys do now: letters are text here, and commands once the input is left."""
        self.border_subtitle = WRITING.format(doing=self._doing)

    def on_blur(self) -> None:
        """Say how to come back."""
        self.border_subtitle = LEFT

    async def _on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                event.stop()
                event.prevent_default()
                if self._blank or self.text.strip():
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
