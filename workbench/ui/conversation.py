"""What was said in the chat pane, and its file on disk: the pane draws it, the engine is asked with it."""

from pathlib import Path

from workbench.chat.protocol import Done, Target
from workbench.chat.transcript import Transcript
from workbench.data.example import Message
from workbench.project.schema import ChatSettings


class Conversation:
    """Questions and answers in turn; the last question may still be without an answer.

    Attributes:
        messages: as the model is asked with them.
    """

    def __init__(self, project_folder: Path) -> None:
        self.messages: list[Message] = []
        self._folder = project_folder
        self._transcript: Transcript | None = None

    def ask(self, question: str) -> None:
        """A question; it takes the place of one that never got an answer: two in a row fit no template."""
        if self.messages and self.messages[-1].role == "user":
            self.messages.pop()
        self.messages.append(Message("user", question))

    def ask_again(self) -> None:
        """Take the last answer back, so that the question before it is open again."""
        if self.messages and self.messages[-1].role == "assistant":
            self.messages.pop()

    def answer(self, text: str, target: Target, settings: ChatSettings, done: Done) -> None:
        """Take an answer in and append it to the transcript, which begins with the first answer.

        Raises WorkbenchError: the transcript cannot be written; the conversation goes on all the same.
        """
        self.messages.append(Message("assistant", text))
        if self._transcript is None:
            self._transcript = Transcript.begin(self._folder)
        self._transcript.add(self.messages, target, settings, done)

    @property
    def last_answer(self) -> str | None:
        """The newest answer."""
        return next((each.content for each in reversed(self.messages) if each.role == "assistant"), None)
