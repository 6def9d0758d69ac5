"""A form over `FormField`s as one widget: rows are drawn line by line, one Input is mounted only while editing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.containers import Vertical
from textual.message import Message

from workbench.errors import Problem
from workbench.project.fields import FormField


class Form(Vertical, can_focus=True):
    """Settings by section, with the help of the selected one below."""

    @dataclass
    class Changed(Message):
        """A value changed, by editing, undo or default."""

        form: "Form"
        key: str
        value: Any

        @property
        def control(self) -> "Form":
            return self.form

    fields: Sequence[FormField]
    values: dict[str, Any]
    problems: list[Problem]

    def __init__(self, fields: Sequence[FormField], *, check: Callable[[dict[str, Any]], list[Problem]], id: str | None = None, classes: str | None = None) -> None:
        """`check(changes)` says what is wrong with the changed values laid over the saved ones."""
        super().__init__(id=id, classes=classes)

    def load(self, values: Mapping[str, Any]) -> None:
        """Take these as the saved values, one for each field; forgets all changes."""

    @property
    def changes(self) -> dict[str, Any]:
        """Key to value, for what differs from the saved values."""
        return {}

    def mark_saved(self) -> None:
        """The values as they are now are the saved ones."""

    def revert(self) -> None:
        """Back to the saved values."""
