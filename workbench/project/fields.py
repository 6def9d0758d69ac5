"""The settings as a form shows them: key, kind, default, help, and text to value and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import Problem
from workbench.project.store import OpenProject

Kind = Literal["int", "float", "bool", "choice", "text", "list"]


@dataclass(frozen=True)
class FormField:
    """One setting of the form.

    Attributes:
        key: dotted key, such as `training.rank`.
        section: the table, such as `training`.
        default: the value when project.toml says nothing.
        help: one line.
        unit: such as `tokens`; empty when it has none.
        source: where the default comes from; empty when it is plain.
        kind: what values it takes.
        choices: the values of kind `choice`.
    """

    key: str
    section: str
    default: Any
    help: str
    unit: str
    source: str
    kind: Kind
    choices: tuple[str, ...] = ()


def form_fields(section: str) -> list[FormField]:
    """The fields of a table: `model`, `data`, `prompt`, `training` or `chat`; sources are not among them."""
    raise NotImplementedError


def parse_value(field: FormField, text: str) -> Any:
    """What the user typed, as a value of the field's kind."""
    raise NotImplementedError


def format_value(value: Any) -> str:
    """A value as the user would type it."""
    raise NotImplementedError


def validate_change(project: OpenProject, key: str, value: Any) -> list[Problem]:
    """What the whole project would say with the value laid in."""
    return validate_changes(project, {key: value})


def validate_changes(project: OpenProject, changes: Mapping[str, Any]) -> list[Problem]:
    """What the whole project would say with all of `changes`, dotted key to value, laid in."""
    raise NotImplementedError
