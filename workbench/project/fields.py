"""The settings as a form shows them: key, kind, default, help, and text to value and back."""

import json
import math
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.checking import Override, check
from workbench.project.complaints import did_you_mean, shown
from workbench.project.layers import key_path, provides
from workbench.project.preset import NONE, preset
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.project.table import Table

Kind = Literal["int", "float", "bool", "choice", "text", "list"]
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


_WHOLE = 1e15
"""From here on a float is written with its exponent."""


@dataclass(frozen=True)
class FormField:
    """One setting of the form.

    Attributes:
        key: dotted key, such as `training.rank`.
        section: the table, such as `training`.
        group: what it is about inside its table, such as `adapter`; empty in a short table.
        default: the value when project.toml says nothing.
        help: one line.
        unit: such as `tokens`; empty when it has none.
        source: where the default comes from; empty when it is plain.
        kind: what values it takes.
        choices: the values of kind `choice`.
    """

    key: str
    section: str
    group: str
    default: Any
    help: str
    unit: str
    source: str
    kind: Kind
    choices: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """What stands above its group in a form."""
        return f"{self.section}: {self.group}" if self.group else self.section

    def unit_of(self, value: str) -> str:
        """The unit behind a value as it is shown: `1 cycle`, `2 cycles`."""
        one = value == "1" and " or " not in self.unit
        return self.unit.removesuffix("s") if one else self.unit

    @property
    def name(self) -> str:
        """The key inside its section, such as `rank`."""
        return self.key.rpartition(".")[2]


def form_fields(section: str) -> list[FormField]:
    """The fields of a table: `model`, `evaluation` or `evaluation.decoding`; tables in it are left out."""
    table: Any = Project
    for name in section.split("."):
        table = table.model_fields[name].annotation
    return [
        _form_field(section, name, info)
        for name, info in table.model_fields.items()
        if not _is_table(info.annotation)
    ]


@dataclass(frozen=True)
class Usual:
    """What a setting is where nothing sets it.

    Attributes:
        value: of the preset, or the default.
        source: where it comes from; empty when it is plain.
        preset: the preset that says so; empty for a default.
    """

    value: Any
    source: str
    preset: str = ""


@cache
def usual(preset_name: str) -> Mapping[str, Usual]:
    """What each setting of all forms is where nothing sets it, by dotted key, under a preset or `none`."""
    found = {
        field.key: Usual(field.default, field.source)
        for section in _sections(Project, "")
        for field in form_fields(section)
    }
    if preset_name != NONE:
        chosen = preset(preset_name)
        found |= {key: Usual(value, chosen.sources[key], chosen.name) for key, value in chosen.values.items()}
    return found


def own_settings(project: OpenProject) -> set[str]:
    """Dotted keys of the forms that project.toml, the profile in use or an override sets, whatever to."""
    tree = project.document().tree
    layers = [tree, tree["profile"][project.profile] if project.profile else {}]
    return {
        key
        for key in usual(NONE)
        if key in project.overrides or any(provides(layer, key_path(key)) for layer in layers)
    }


def parse_value(field: FormField, text: str) -> Any:
    """What the user typed, as a value of the field's kind; bounds are left to `validate_changes`.

    A text in double quotes is read as TOML's, so that line breaks can be written as `\\n`. A list is written
    with commas, or as TOML writes it.

    Raises:
        WorkbenchError: `rank: not a whole number: '3x'`.
    """
    if field.kind == "text":
        return text if (parsed := _as_toml(text)) is None or not isinstance(parsed, str) else parsed
    typed = text.strip()
    if field.kind == "list":
        return _list(field, typed)
    if field.kind == "choice":
        if typed in field.choices:
            return typed
        what = f"must be one of {', '.join(field.choices)}, not {shown(typed)}"
        raise fault(what, field.name, did_you_mean(typed, field.choices))
    if field.kind == "bool":
        if typed.lower() in _TRUTH:
            return _TRUTH[typed.lower()]
        raise fault(f"not true or false: {shown(typed)}", field.name)
    return _number(field, typed)


def format_value(value: Any) -> str:
    """A value as the user would type it; `parse_value` reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        needs_quotes = value.startswith('"') or not value.isprintable()
        return _quoted(value) if needs_quotes else value
    if isinstance(value, list):
        is_plain = all(
            item == item.strip() and item.isprintable() and not set(item) & set(',"[') for item in value
        )
        return ", ".join(value) if is_plain and all(value) else f"[{', '.join(map(_quoted, value))}]"
    if isinstance(value, float) and value.is_integer() and 1 <= abs(value) < _WHOLE:
        return str(int(value))
    return repr(value)


def validate_changes(project: OpenProject, changes: Mapping[str, Any]) -> list[Problem]:
    """What the whole project would say with `changes` laid in, dotted key to value (None: the default).

    The place of a problem is the dotted key of the change that causes it.
    """
    laid = [Override(key, value, f"--set {key}") for key, value in project.overrides.items()]
    laid += [Override(key, value, key) for key, value in changes.items()]
    try:
        check(project.document(), project.profile, laid)
    except WorkbenchError as e:
        return list(e.problems)
    return []


def _form_field(section: str, name: str, info: FieldInfo) -> FormField:
    kind, choices = _kind(info.annotation)
    extra: Any = info.json_schema_extra or {}
    return FormField(
        key=f"{section}.{name}",
        section=section,
        group=extra.get("group", ""),
        default=info.get_default(call_default_factory=True, validated_data={}),
        help=info.description or "",
        unit=extra.get("unit", ""),
        source=extra.get("source", ""),
        kind=kind,
        choices=choices,
    )


def _sections(table: type[BaseModel], above: str) -> Iterator[str]:
    """The tables in a table, and the tables in those, each by its dotted key; lists of tables have none."""
    for name, info in table.model_fields.items():
        inner: Any = info.annotation
        if isinstance(inner, type) and issubclass(inner, Table):
            yield above + name
            yield from _sections(inner, f"{above}{name}.")


def _is_table(annotation: Any) -> bool:
    """A table of its own, or a list of tables, of one kind or of several."""
    if isinstance(annotation, type):
        return issubclass(annotation, Table)
    return any(map(_is_table, get_args(annotation)))


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation)))
    if get_origin(annotation) in (list, Union, types.UnionType):
        return "list", ()
    kinds: dict[Any, Kind] = {int: "int", float: "float", bool: "bool"}
    return kinds.get(annotation, "text"), ()


def _number(field: FormField, text: str) -> int | float:
    read: type[int] | type[float] = int if field.kind == "int" else float
    try:
        value = read(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        wanted = "a whole number" if field.kind == "int" else "a number"
        raise fault(f"not {wanted}: {shown(text)}", field.name) from None
    return value


def _list(field: FormField, text: str) -> list[str] | str:
    """A list; where the field also takes a text (its default is one), a single word is that text."""
    if text.startswith("["):
        parsed = _as_toml(text)
        if not isinstance(parsed, list) or not all(isinstance(item, str) for item in parsed):
            raise fault(
                f"not a list of texts: {shown(text)}", field.name, 'write it as a, b or as ["a", "b"]'
            )
        return parsed
    items = [item.strip() for item in text.split(",") if item.strip()]
    return items[0] if isinstance(field.default, str) and len(items) == 1 else items


def _as_toml(text: str) -> Any:
    """The value that `text` is in TOML; None when it is not one."""
    if not text.startswith(('"', "[")):
        return None
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return None
    return tree["value"] if tree.keys() == {"value"} else None


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's spelling, and DEL escaped, which JSON leaves bare."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
