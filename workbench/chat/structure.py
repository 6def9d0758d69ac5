"""What is given with a text where contents are structured: an emotion that is known before the reply is."""

from collections import Counter
from dataclasses import dataclass

from workbench.data.dataset import Dataset
from workbench.data.example import Example, Message, Pairs, Role
from workbench.errors import WorkbenchError, fault

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


@dataclass(frozen=True, slots=True)
class Given:
    """What is given with the messages of a chat.

    Attributes:
        structure: how messages are made; None for plain text.
        pairs: what is given with each role's.
    """

    structure: Structure | None
    pairs: dict[Role, Pairs]

    def message(self, role: Role, text: str) -> Message:
        """What this role says, or what the model has to write where `text` is empty."""
        if self.structure is None:
            return Message(role, text)
        return self.structure.message(role, text, self.pairs[role])

    def prompt(self, said: list[Message]) -> list[Message]:
        """A conversation that ends with a question, and what is given with the answer to it."""
        answer = self.message("assistant", "")
        return [*said, answer] if answer.given else said

    def with_answer(self, wanted: str) -> "Given":
        """The same with another value for answers, as in `emotion=happiness`.

        Raises WorkbenchError: the project's data has no such key, or not this value.
        """
        key, equals, value = wanted.partition("=")
        values = self.structure.values["assistant"] if self.structure else {}
        if not values:
            raise fault("the project's data gives nothing with an answer, such as an emotion", wanted)
        if key not in values or not equals:
            raise fault("not given with answers", wanted, f"KEY=VALUE, where KEY is {' or '.join(values)}")
        if value not in values[key]:
            raise fault(f"no answer has this {key}", wanted, f"there are: {', '.join(values[key])}")
        pairs = with_value(self.pairs["assistant"], key, value)
        return Given(self.structure, {**self.pairs, "assistant": pairs})


def with_value(given: Pairs, key: str, value: str) -> Pairs:
    """The same with another value of one key."""
    return tuple((each, value if each == key else old) for each, old in given)


def usually_given(structure: Structure | None) -> Given:
    """The most frequent value of every key."""
    roles: tuple[Role, ...] = ("user", "assistant")
    return Given(structure, {role: structure.usual(role) if structure else () for role in roles})


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
