"""What pydantic found wrong, said for people: the key as it stands in the file, the fault, the right word."""

import difflib
import json
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from workbench.project.importing.names import NOT_HERE, OURS
from workbench.project.positions import KeyPath
from workbench.project.schema import FORMAT, Project

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BOUNDS = {
    "greater_than_equal": ("must be at least", "ge"),
    "greater_than": ("must be above", "gt"),
    "less_than_equal": ("must be at most", "le"),
    "less_than": ("must be below", "lt"),
}
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "list": "a list",
    "dict": "a table",
    "model": "a table",
}
_LONGEST = 60


@dataclass(frozen=True)
class Complaint:
    """One fault of the settings, without a place yet."""

    path: KeyPath
    what: str
    hint: str = ""
    involved: tuple[KeyPath, ...] = ()
    """Further keys that the fault is about, when it is one between several."""


@dataclass(frozen=True)
class _Traced:
    """An error's place in the schema: the path in the file, and what belongs there."""

    path: KeyPath
    annotation: Any
    table: type[BaseModel]
    union: KeyPath | None
    """Path of the plain union (such as text or list) that the error lies in."""


def complaints(error: ValidationError) -> list[Complaint]:
    """All faults that `error` holds, those of one union told as one."""
    found: list[Complaint] = []
    unions: dict[KeyPath, list[tuple[_Traced, Any]]] = {}
    for details in error.errors(include_url=False):
        traced = _trace(details["loc"])
        if traced.union is None:
            found.append(_complaint(traced, details))
        else:
            unions.setdefault(traced.union, []).append((traced, details))
    for union, members in unions.items():
        inside = [
            (traced, details) for traced, details in members if traced.path != union or _is_of_member(details)
        ]
        if inside:
            found += [_complaint(traced, details) for traced, details in inside]
        else:
            found.append(_no_member(union, [details for _, details in members]))
    return found


def key_text(path: KeyPath) -> str:
    """A path as one writes it: `data.source.0.path`; odd keys in quotes."""
    return ".".join(
        str(part)
        if isinstance(part, int) or _BARE.fullmatch(part)
        else json.dumps(_short(part), ensure_ascii=False)
        for part in path
    )


def shown(value: Any) -> str:
    """A value in an error message: short, in the file's spelling, containers by their sort."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(_short(value))
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 4 * _LONGEST:
        return "a number of many digits"
    return _short(str(value))


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` looks like; empty when none does."""
    return next(iter(difflib.get_close_matches(word[:100], list(known), n=1)), "")


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`did you mean rank?`, or nothing when no known word is near."""
    near = nearest(word, known) if isinstance(word, str) else ""
    return f"did you mean {near}?" if near else ""


def _trace(loc: tuple[str | int, ...]) -> _Traced:
    """Follow pydantic's location down the schema; names of union members in it are no keys of the file."""
    path: KeyPath = ()
    annotation: Any = Project
    table: type[BaseModel] = Project
    union: KeyPath | None = None
    for part in loc:
        annotation = _bare(annotation)
        members = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else ()
        if members and all(_is_table(member) for member in members):
            annotation = next(
                member for member in members if part in get_args(member.model_fields["kind"].annotation)
            )
        elif members:
            union = path
            annotation = next((member for member in members if _label(member) == part), None)
        else:
            path += (part,)
            if _is_table(annotation):
                table = annotation
                annotation = _keys(table).get(str(part))
            else:
                annotation = (get_args(annotation) or (None,))[-1]
    return _Traced(path, _bare(annotation), table, union)


def _bare(annotation: Any) -> Any:
    """An annotation without its bounds, and without the None of an optional one."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        return _bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _keys(table: type[BaseModel]) -> dict[str, Any]:
    """The keys of a table as they are written, with what belongs there."""
    return {field.alias or name: field.annotation for name, field in table.model_fields.items()}


def _is_of_member(details: Any) -> bool:
    """Whether a value that a member of a union refuses is of that member's type."""
    if details["type"] == "literal_error":
        return isinstance(details["input"], str)
    return not _wanted(details["type"])


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _label(annotation: Any) -> str:
    """How pydantic names a member of a plain union in its locations."""
    if get_origin(annotation) is Literal:
        return f"literal[{','.join(map(repr, get_args(annotation)))}]"
    return str(annotation) if get_origin(annotation) else str(annotation.__name__)


def _complaint(traced: _Traced, details: Any) -> Complaint:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    path = traced.path
    if kind == "extra_forbidden":
        return _unknown_key(traced)
    if kind == "missing":
        return Complaint(path, "missing", _example(path))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind((*path, "kind"), traced.annotation, value)
    if path == ("format",):
        hint = f"this workbench reads format = {FORMAT}; a newer one may read it"
        return Complaint(path, f"unknown format {shown(value)}", hint)
    if kind == "literal_error":
        return _no_choice(path, get_args(traced.annotation), value)
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return Complaint(path, f"{words} {context[name]:.10g}, not {shown(value)}")
    if kind in ("too_short", "string_too_short"):
        return Complaint(path, "must not be empty")
    if kind == "finite_number":
        return Complaint(path, f"not a finite number: {shown(value)}")
    wanted = _wanted(kind)
    if wanted:
        hint = "put it in quotes" if wanted == "a text" and isinstance(value, int | float) else ""
        if wanted == "a list" and isinstance(value, str):
            hint = f"write it as [{json.dumps(_short(value), ensure_ascii=False)}]"
        return Complaint(path, f"not {wanted}: {shown(value)}", hint)
    return Complaint(path, _short(details["msg"]))


def _wanted(kind: str) -> str:
    """What a type error of pydantic, such as `int_from_float`, asks for."""
    return _WANTED.get(kind.split("_")[0], "")


def _no_member(path: KeyPath, errors: list[Any]) -> Complaint:
    wanted = " or ".join(dict.fromkeys(_wanted(details["type"]) or "a text" for details in errors))
    return Complaint(path, f"not {wanted}: {shown(errors[0]['input'])}")


def _no_choice(path: KeyPath, choices: Iterable[str], value: Any) -> Complaint:
    choices = list(map(str, choices))
    return Complaint(
        path, f"must be one of {', '.join(choices)}, not {shown(value)}", did_you_mean(value, choices)
    )


def _unknown_kind(path: KeyPath, union: Any, value: Any) -> Complaint:
    kinds = [kind for member in get_args(union) for kind in get_args(member.model_fields["kind"].annotation)]
    if not isinstance(value, dict):
        return Complaint(path[:-1], f"not a table: {shown(value)}")
    if "kind" not in value:
        return Complaint(path, "missing", f"one of {', '.join(kinds)}")
    return _no_choice(path, kinds, value["kind"])


def _unknown_key(traced: _Traced) -> Complaint:
    """An unknown key, with the known one that looks like it, or the table it belongs to."""
    *_, key = traced.path
    if key in OURS:
        return Complaint(traced.path, f"unknown key, did you mean {OURS[str(key)]}?")
    if key in NOT_HERE:
        return Complaint(traced.path, "unknown key, one of other tools", NOT_HERE[str(key)])
    known = list(_keys(traced.table))
    near = nearest(str(key), known)
    homes = [
        f"{section}.{key}"
        for section, field in Project.model_fields.items()
        if _is_table(field.annotation) and key in field.annotation.model_fields  # type: ignore[union-attr]
    ]
    if not near and homes:
        near = " or ".join(homes)
    what = f"unknown key, did you mean {near}?" if near else "unknown key"
    hint = f"known here: {', '.join(known)}" if not near and len(known) <= 12 else ""
    return Complaint(traced.path, what, hint)


def _example(path: KeyPath) -> str:
    return {"name": 'add a line such as name = "my-project"', "path": "the file that holds the rows"}.get(
        str(path[-1]), ""
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
