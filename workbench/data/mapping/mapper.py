"""A row becomes an example by the mapping of its source, or a rejection that says why."""

from collections.abc import Callable

from workbench.data.example import Example, Message, Origin, Pairs, Rejected, Row
from workbench.data.files.rows import RowError
from workbench.data.mapping.cells import MissingColumn, Template, encodable, text_reader
from workbench.data.mapping.tagging import tagger
from workbench.data.mapping.turns import messages_of_turns
from workbench.data.mapping.utterances import messages_of_utterances
from workbench.data.mapping.where import row_filter
from workbench.project.source import FieldsSource, MessagesSource, Source, TextSource, UtterancesSource

_TURNS = ["user", "assistant"] * 32
"""Roles of nearly every conversation, which need no further look."""

_Maker = Callable[[Row], tuple[list[Message], Row]]
"""Messages of a row, and the row as tags, group, blocks and system see it. Raises RowError."""


class Mapper:
    """The mapping of one source, its templates and expressions read once.

    Safe to use from several threads.
    """

    def __init__(self, source: Source) -> None:
        self._filter = row_filter(source.where) if source.where else None
        self._make = _maker(source)
        self._system = Template(source.system) if source.system else None
        self._blocks = [(title, Template(text)) for title, text in source.blocks.items()]
        self._group = text_reader(source.group) if source.group else None
        self._tag = tagger(source.tags) if source.tags else None
        self._plain = isinstance(source, TextSource)
        self._answered = source.split != "test"

    def map(self, row: Row, origin: Origin) -> Example | Rejected:
        """What `row` becomes. Its text is left as it is but for outer white space; cleaning comes later."""
        try:
            if self._filter and (left_out := self._filter(row)):
                return Rejected(origin, *left_out, filtered=True)
            messages, scope = self._make(row)
            if self._plain:
                _check_text(messages)
            else:
                self._add_system(messages, scope)
                _check(messages, self._answered)
            blocks = self._filled(scope) if self._blocks else ()
            tags = self._tag(scope, messages) if self._tag else ()
            group = self._group(scope) if self._group else ""
            if blocks or tags or group:
                for name, text in (*blocks, *tags, ("group", group)):
                    encodable(text, name)
        except RowError as e:
            return Rejected(origin, e.reason, e.detail)
        return Example(tuple(messages), origin, tags, group, blocks, self._plain)

    def _filled(self, scope: Row) -> Pairs:
        filled = [(title, template.fill_part(scope)) for title, template in self._blocks]
        return tuple((title, text) for title, text in filled if text)

    def _add_system(self, messages: list[Message], scope: Row) -> None:
        """The source's system message, before a conversation that has none of its own."""
        if self._system and not (messages and messages[0].role == "system"):
            text = self._system.fill_part(scope)
            if text:
                messages.insert(0, Message("system", text))


def _maker(source: Source) -> _Maker:
    match source:
        case FieldsSource():
            return _of_fields(source)
        case MessagesSource():
            make = messages_of_turns(source)
            return lambda row: (make(row), row)
        case UtterancesSource():
            return messages_of_utterances(source)
        case TextSource():
            text = Template(source.text)
            return lambda row: ([Message("assistant", text.fill(row))], row)


def _of_fields(source: FieldsSource) -> _Maker:
    """Outer white space is taken off: files made for older APIs carry it as a mark of beginning and end."""
    parts = [Template(part) for part in source.user]
    answer = Template(source.assistant)
    user_ends, answer_ends = _marks(source.strip_user), _marks(source.strip_assistant)
    may_lack_answer = source.split == "test"

    def make(row: Row) -> tuple[list[Message], Row]:
        user = "\n\n".join([text for part in parts if (text := part.fill_part(row))])
        messages = [Message("user", _cut(user, user_ends))]
        try:
            text = _cut(answer.fill_part(row), answer_ends)
        except MissingColumn:
            if not may_lack_answer:
                raise
            text = ""
        if text or not may_lack_answer:
            messages.append(Message("assistant", text))
        return messages, row

    return make


def _marks(endings: list[str]) -> list[str]:
    return [mark for ending in endings if (mark := ending.strip())]


def _cut(text: str, marks: list[str]) -> str:
    """`text` without each of the endings that it has, compared without the white space around them."""
    for mark in marks:
        text = text.removesuffix(mark).rstrip()
    return text


def _check(messages: list[Message], answered: bool) -> None:
    """A system message may come first, then user and assistant in turn; the assistant has the last word,
    unless answers are still to be found (`answered` False)."""
    _check_text(messages)
    roles: list[str] = [message.role for message in messages]
    if roles[-1:] == ["assistant"] and roles == _TURNS[: len(roles)]:
        return
    if answered and "assistant" not in roles:
        raise RowError("no assistant message")
    if "user" not in roles and not answered:
        raise RowError("no user message")
    body = roles[1:] if roles[0] == "system" else roles
    for n, role in enumerate(body):
        if role != ("user", "assistant")[n % 2]:
            before = f"after {body[n - 1]}" if n else "first"
            raise RowError("roles out of order", f"turn {n + 1 + len(roles) - len(body)} is {role}, {before}")
    if answered and body[-1] != "assistant":
        raise RowError("ends without an answer")


def _check_text(messages: list[Message]) -> None:
    for n, message in enumerate(messages, 1):
        content = message.content
        if not content or content.isspace():
            raise RowError(f"empty {message.role} message", f"turn {n}")
        if not content.isascii():
            encodable(content, f"turn {n}")
        for name, text in message.given:
            encodable(name, f"turn {n}")
            encodable(text, f"turn {n}, {name}")
