"""What is given with a text where contents are structured: an emotion that is known before the reply is."""

from collections import Counter
from dataclasses import dataclass

from workbench.data.dataset import Dataset
from workbench.data.example import Example, Message, Pairs, Role
from workbench.errors import WorkbenchError

LOOKED_AT = 500
"""Rows of each source: labels that are rarer are not offered."""
MOST_VALUES = 50
"""A key with more values is a text of its own, not a choice."""


@dataclass(frozen=True, slots=True)
class Structure:
    """How the messages of a project's data are made.

    Attributes:
        text_key: the key of the text.
        values: what each given key may be, the most frequent first, for the user's and the model's messages.
    """

    text_key: str
    values: dict[Role, dict[str, list[str]]]

    def usual(self, role: Role) -> Pairs:
        """Every given key of this role with its most frequent value."""
        return tuple((key, values[0]) for key, values in self.values[role].items())

    def message(self, role: Role, text: str, given: Pairs) -> Message:
        """A message of this form; a role without given keys has plain text."""
        return Message(role, text, given, self.text_key) if self.values[role] else Message(role, text)


def structure_of(dataset: Dataset) -> Structure | None:
    """The form of the first source whose model's messages have given keys to choose from; None for plain
    text. Looks at `LOOKED_AT` rows; a source that cannot be read is passed over.
    """
    for source in range(len(dataset.sources)):
        text_key = ""
        seen: dict[Role, dict[str, Counter[str]]] = {"user": {}, "assistant": {}}
        for message in _messages(dataset, source):
            text_key = text_key or message.text_key
            for key, value in message.given if message.role in seen else ():
                seen[message.role].setdefault(key, Counter())[value] += 1
        values: dict[Role, dict[str, list[str]]] = {
            role: {
                key: [value for value, _ in counted.most_common(MOST_VALUES)] for key, counted in keys.items()
            }
            for role, keys in seen.items()
        }
        if values["assistant"]:
            return Structure(text_key, values)
    return None


def _messages(dataset: Dataset, source: int) -> list[Message]:
    found: list[Message] = []
    try:
        for row in range(LOOKED_AT):
            example = dataset.example(source, row)
            if isinstance(example, Example):
                found += example.messages
    except WorkbenchError:  # no more rows, or none that can be read
        pass
    return found
