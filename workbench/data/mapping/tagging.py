"""Tags of an example: from columns and labels, or by phrases in what the user says."""

from collections.abc import Callable, Mapping, Sequence

from workbench.data.example import Message, Pairs, Row
from workbench.data.mapping.cells import Template
from workbench.data.mapping.searching import Search

Tagger = Callable[[Row, Sequence[Message]], Pairs]
"""Takes the row and its messages. Raises RowError for a row without a column that a tag names."""


def tagger(tags: Mapping[str, str | Mapping[str, str]]) -> Tagger:
    """All tags in their order; one that comes out empty, or whose phrases are not found, is absent."""
    makers = [(name, _maker(rule)) for name, rule in tags.items()]

    def tag(row: Row, messages: Sequence[Message]) -> Pairs:
        found = ((name, make(row, messages)) for name, make in makers)
        return tuple((name, value) for name, value in found if value)

    return tag


def _maker(rule: str | Mapping[str, str]) -> Callable[[Row, Sequence[Message]], str]:
    if isinstance(rule, str):
        template = Template(rule)
        return lambda row, messages: template.fill(_last_of_lists(row, template)).strip()
    patterns = [(value, Search(pattern)) for value, pattern in rule.items()]

    def by_phrase(row: Row, messages: Sequence[Message]) -> str:
        """The first value, in the project's order, whose phrase the user says; a plain text is all of it."""
        users = [message.content for message in messages if message.role == "user"]
        texts = users or [message.content for message in messages]
        return next((value for value, found in patterns if any(map(found, texts))), "")

    return by_phrase


def _last_of_lists(row: Row, template: Template) -> Row:
    """The row with the last element for each list that the template names."""
    lists = {
        name: row[name][-1] if row[name] else None
        for name in template.names
        if isinstance(row.get(name), list)
    }
    return row | lists if lists else row
