"""The two things a row of a file can become: an example, or a rejection that says why."""

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Row = dict[str, Any]
"""One record of a file: column name to value."""
Pairs = tuple[tuple[str, str], ...]
"""Names with their texts, in order; a tuple so that what holds it can be hashed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: who speaks.
        content: the text; for an assistant what the model has to write.
        given: further keys of a structured content, such as an emotion. They are known before the text is.
        text_key: the key of `content` in a structured content; empty when the content is plain text.
    """

    role: Role
    content: str
    given: Pairs = ()
    text_key: str = ""

    @property
    def for_template(self) -> str | dict[str, str]:
        """`message.content` as a chat template sees it."""
        return {**dict(self.given), self.text_key: self.content} if self.text_key else self.content


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an example came from: the index of its `[[data.source]]` and the row's number in it, from 0."""

    source: int
    row: int


@dataclass(frozen=True, slots=True)
class Example:
    """What one row becomes: a conversation in which no message is empty and roles are in order.

    Attributes:
        messages: the conversation. It ends with an answer, except in a source with `split = "test"`.
        origin: the row it came from.
        tags: tag name to value, such as ("direction", "to_classical").
        group: examples of one source with the same group stay on one side of the split; empty for none.
        blocks: context blocks of this row, title and text, put before the first user message.
        plain: one assistant message that is trained on as it stands, without a chat template.
    """

    messages: tuple[Message, ...]
    origin: Origin
    tags: Pairs = ()
    group: str = ""
    blocks: Pairs = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not trained on. `reason` is short and the same for all rows of its sort, so that it can
    be counted; `detail` names what this row holds. `filtered`: the project asked for it, with `where` or a
    length limit; otherwise the row cannot be used."""

    origin: Origin
    reason: str
    detail: str = ""
    filtered: bool = False
