"""What the rules read a foreign configuration through: values of a wanted kind, and what became of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import Problem
from workbench.project.complaints import shown
from workbench.project.importing.given import Given
from workbench.project.importing.tools import Tool


@dataclass(frozen=True)
class Setting:
    """One setting of ours that comes out of it.

    Attributes:
        key: dotted key.
        value: as project.toml holds it.
        of: what was given for it; empty where it is the tool's own default.
        remark: what is worth knowing; empty when the value is as it was.
    """

    key: str
    value: Any
    of: tuple[Given, ...]
    remark: str = ""


@dataclass
class Reading:
    """The given settings of one configuration, and what the rules made of them.

    Values that are given as nothing (`null`) count as not given.
    """

    given: dict[str, Given]
    tool: Tool
    settings: dict[str, Setting] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    """A given name to what became of it where it is no setting of its own."""
    problems: list[Problem] = field(default_factory=list)

    def is_given(self, *names: str) -> bool:
        """Whether one of these names is given, with a value."""
        return any(name in self.given and self.given[name].value is not None for name in names)

    def first(self, names: Iterable[str]) -> tuple[str, Any]:
        """The first of these names with a value: given, or else the tool's default; else ("", None)."""
        names = list(names)
        for name in names:
            if self.is_given(name):
                return name, self.given[name].value
        for name in names:
            if self.tool.defaults.get(name) is not None:
                return name, self.tool.defaults[name]
        return "", None

    def truth(self, *names: str) -> bool | None:
        """True or false; None where nothing says it."""
        return self._as(names, _truth, "true or false")  # type: ignore[no-any-return]

    def number(self, *names: str) -> float | None:
        """A number."""
        return self._as(names, _number, "a number")  # type: ignore[no-any-return]

    def whole(self, *names: str) -> int | None:
        """A whole number."""
        return self._as(names, _whole, "a whole number")  # type: ignore[no-any-return]

    def text(self, *names: str) -> str | None:
        """A text."""
        return self._as(names, _text, "a text")  # type: ignore[no-any-return]

    def words(self, *names: str) -> list[str] | None:
        """A list of words, or one text with commas or blanks between them."""
        return self._as(names, _words, "a list of names")  # type: ignore[no-any-return]

    def put(self, key: str, value: Any, *names: str, remark: str = "") -> None:
        """The setting of ours that these names say; the first rule that says it holds."""
        of = tuple(self.given[name] for name in names if self.is_given(name))
        self.settings.setdefault(key, Setting(key, value, of, remark))

    def leave(self, name: str, remark: str) -> None:
        """A given name that becomes no setting of its own."""
        if name in self.given:
            self.remarks.setdefault(name, remark)

    def _as(self, names: tuple[str, ...], read: Callable[[Any], Any], wanted: str) -> Any:
        name, value = self.first(names)
        if not name:
            return None
        try:
            return read(value)
        except (ValueError, TypeError, OverflowError):
            where = f"{self.given[name].where}: {name}" if name in self.given else name
            problem = Problem(f"not {wanted}: {shown(value)}", where)
            if problem not in self.problems:
                self.problems.append(problem)
            return None


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    if _number(value) != int(value):
        raise ValueError
    return int(value)


def _text(value: Any) -> str:
    if isinstance(value, bool | list | dict):
        raise TypeError
    return str(value)


def _words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return [word for word in _text(value).replace(",", " ").split() if word]
