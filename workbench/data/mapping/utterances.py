"""Kind `utterances`: what two people said in turn, with labels beside it, as DailyDialog has it.

The first speaker is the user, the second the assistant. A last utterance of the user is dropped, as the data
set's own users do: there is no answer to learn from it.
"""

import re
from collections.abc import Callable
from typing import Any

from workbench.data.example import Message, Pairs, Role, Row
from workbench.data.files.json_text import kind_of
from workbench.data.files.rows import RowError
from workbench.data.mapping.cells import Template, reader, shown, text_of
from workbench.project.source import UtterancesSource

_LABEL = re.compile(r"[^\s,\[\]]+")
_ROLES: tuple[Role, Role] = ("user", "assistant")

_Labels = Callable[[Row, int], list[str]]
_Form = Callable[[Row], tuple[str, Pairs, str]]


def messages_of_utterances(source: UtterancesSource) -> Callable[[Row], tuple[list[Message], Row]]:
    """Makes the messages of one row, and the row with the labels of the last reply in place of the lists."""
    read = reader(source.column)
    labels = {name: _labels(name, names) for name, names in source.labels.items()}
    forms = _form(source.turn), _form(source.reply)

    def make(row: Row) -> tuple[list[Message], Row]:
        utterances = _utterances(read(row), source)
        known = {name: label(row, len(utterances)) for name, label in labels.items()}
        count = len(utterances) - len(utterances) % 2
        if not count:
            raise RowError("fewer than two utterances", f"there is {len(utterances) or 'none'}")
        scope, messages = dict(row), []
        for n, utterance in enumerate(utterances[:count]):
            scope["text"] = utterance
            for name, values in known.items():
                scope[name] = values[n]
            content, given, key = forms[n % 2](scope)
            messages.append(Message(_ROLES[n % 2], content, given, key))
        return messages, row | {name: values[count - 1] for name, values in known.items()}

    return make


def _utterances(value: Any, source: UtterancesSource) -> list[str]:
    """The utterances without outer white space; the blank behind a last separator is none."""
    if isinstance(value, list):
        return [text_of(each, source.column).strip() for each in value]
    text = text_of(value, source.column)
    utterances = [each.strip() for each in text.split(source.separator)]
    if not utterances[-1]:
        del utterances[-1]
    return utterances


def _labels(name: str, names: list[str]) -> _Labels:
    """Reads a label for each of so many utterances."""
    read = reader(name)

    def labels(row: Row, count: int) -> list[str]:
        value = read(row)
        values = value if isinstance(value, list) else _LABEL.findall(text_of(value, name))
        if len(values) != count:
            raise RowError(
                "labels do not match utterances", f"{name}: {len(values)} labels for {count} utterances"
            )
        return [_named(each, name, names) for each in values] if names else [text_of(v, name) for v in values]

    return labels


def _named(value: Any, label: str, names: list[str]) -> str:
    """The name for a label's number, which may be written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RowError("a label is no number", f"{label}: {kind_of(value)}")
    if value in names:
        return str(value)
    try:
        number = int(value)
    except (ValueError, OverflowError) as e:
        raise RowError("a label is no number", f"{label}: {shown(value)}") from e
    if not 0 <= number < len(names) or (isinstance(value, float) and value != number):
        raise RowError("a label has no name", f"{label}: {shown(value)}, there are {len(names)} names")
    return names[number]


def _form(form: str | dict[str, str]) -> _Form:
    """Makes content, given keys and text key of one message."""
    if isinstance(form, str):
        plain = Template(form)
        return lambda scope: (plain.fill(scope), (), "")
    templates = {key: Template(text) for key, text in form.items()}
    text_key = next(key for key, template in templates.items() if "text" in template.names)
    text = templates.pop(text_key)

    def structured(scope: Row) -> tuple[str, Pairs, str]:
        given = tuple((key, template.fill(scope)) for key, template in templates.items())
        return text.fill(scope), given, text_key

    return structured
