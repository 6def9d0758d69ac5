"""A parsed project.toml, its profiles and what is laid over it: all faults at once, each with its place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from pydantic import ValidationError

from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.complaints import Complaint, complaints, did_you_mean, key_text, shown
from workbench.project.layers import Tree, key_path, merged, provides, with_value
from workbench.project.positions import KeyPath, positions
from workbench.project.preset import KEY, comes_from_preset, named, with_preset
from workbench.project.relations import broken_relations
from workbench.project.schema import Project


@dataclass(frozen=True)
class Document:
    """A project.toml: the name it has in errors, its text, and what that parses to."""

    name: str
    text: str
    tree: Tree

    @cached_property
    def lines(self) -> dict[KeyPath, int]:
        """Key path to line number."""
        return positions(self.text)

    def line(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest table around it; 0 when there is none."""
        return next(
            (self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 0
        )

    def place(self, path: KeyPath) -> str:
        """`project.toml:14: training.rank`."""
        line = self.line(path)
        file = f"{self.name}:{line}" if line else self.name
        return f"{file}: {key_text(path)}" if path else file


@dataclass(frozen=True)
class Override:
    """One value laid over file and profile (None: taken out), and what to call it in an error."""

    key: str
    value: Any
    place: str

    def covers(self, path: KeyPath) -> bool:
        """Whether a fault at `path` can be this value's doing: one of the two lies inside the other."""
        own = key_path(self.key)
        return path[: len(own)] == own or own[: len(path)] == path


def check(document: Document, profile: str | None, overrides: Sequence[Override]) -> Project:
    """The settings with `profile` and `overrides` laid in.

    Raises:
        WorkbenchError: every fault of the file, of all its profiles, and of the overrides.
    """
    try:
        return _Check(document).settings(profile, overrides)
    except RecursionError:
        raise fault("tables are nested too deeply", document.name) from None


class _Check:
    """Gathers the problems of one document; a fault that an upper layer only inherits is told once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        profiles = document.tree.get("profile")
        self.profiles: dict[str, Any] = profiles if isinstance(profiles, dict) else {}
        self.plain: Tree = {key: value for key, value in document.tree.items() if key != "profile"}
        self.problems: list[Problem] = []
        self._told: set[tuple[KeyPath, str]] = set()

    def settings(self, profile: str | None, overrides: Sequence[Override]) -> Project:
        self._check_file()
        tree = self._with_profile(profile)
        self._check_overrides(tree, overrides)
        if self.problems:
            raise WorkbenchError(*self.problems)
        for override in overrides:
            tree = with_value(tree, key_path(override.key), override.value)
        return Project.model_validate(with_preset(tree) | {"profile": self.profiles})

    def _check_file(self) -> None:
        """The file itself and every profile of it, in the order of its lines."""
        tree = self.document.tree
        own = faults(tree)
        found = [_at_own_key(tree, complaint) for complaint in own]
        self._told |= {(complaint.path, complaint.what) for complaint in own}
        for name, table in self.profiles.items():
            if not isinstance(table, dict):
                continue
            if "profile" in table:
                found.append((("profile", name, "profile"), Complaint((), "a profile holds no profiles")))
            for path, complaint in self._new(merged(self.plain, table), partial(provides, table)):
                found.append((("profile", name, *path), complaint))
        found.sort(key=lambda item: self.document.line(item[0]))
        self.problems += [Problem(c.what, self.document.place(path), c.hint) for path, c in found]

    def _with_profile(self, profile: str | None) -> Tree:
        if profile is None:
            return self.plain
        table = self.profiles.get(profile)
        if isinstance(table, dict):
            return merged(self.plain, table)
        if table is None:
            known = ", ".join(map(shown, self.profiles)) or "none"
            hint = did_you_mean(profile, self.profiles) or f"profiles here: {known}"
            self.problems.append(Problem(f"no profile {shown(profile)}", self.document.name, hint))
        return self.plain

    def _check_overrides(self, tree: Tree, overrides: Sequence[Override]) -> None:
        laid: list[Override] = []
        for override in overrides:
            try:
                tree = with_value(tree, key_path(override.key), override.value)
                laid.append(override)
            except WorkbenchError as e:
                self.problems += [Problem(problem.what, override.place) for problem in e.problems]
        if not laid:
            return
        for path, complaint in self._new(tree, lambda path: any(o.covers(path) for o in laid)):
            override = next(o for o in reversed(laid) if o.covers(path))
            about = "" if path == key_path(override.key) else f"{key_text(complaint.path)}: "
            self.problems.append(Problem(about + complaint.what, override.place, complaint.hint))

    def _new(
        self, tree: Tree, is_responsible: Callable[[KeyPath], bool]
    ) -> Iterable[tuple[KeyPath, Complaint]]:
        """Faults of `tree` that are a layer's doing, each with the path by which the layer causes it."""
        tree = {key: value for key, value in tree.items() if key != "profile"}
        for complaint in faults(tree):
            path = next(filter(is_responsible, _causes(tree, complaint)), None)
            if path is not None and (complaint.path, complaint.what) not in self._told:
                yield path, _worded(tree, complaint)


def _causes(tree: Tree, complaint: Complaint) -> list[KeyPath]:
    """The keys that a fault may be mended at; the choice of the preset is one where its values take part."""
    paths = [complaint.path, *complaint.involved]
    return paths + [KEY] * any(comes_from_preset(tree, path) for path in paths)


def _at_own_key(tree: Tree, complaint: Complaint) -> tuple[KeyPath, Complaint]:
    """A fault of the file and the key to tell it at: for a preset's value, the key that does not suit it."""
    if not comes_from_preset(tree, complaint.path):
        return complaint.path, complaint
    own = next(path for path in _causes(tree, complaint) if provides(tree, path))
    return own, _worded(tree, complaint)


def _worded(tree: Tree, complaint: Complaint) -> Complaint:
    """A fault of a preset's value says whose it is."""
    chosen = named(tree)
    if chosen is None or not comes_from_preset(tree, complaint.path):
        return complaint
    return replace(complaint, what=f"{key_text(complaint.path)} of preset {chosen.name}: {complaint.what}")


def faults(tree: Tree) -> list[Complaint]:
    """All that is wrong with a tree of settings.

    Relations are judged even where other settings are faulty: those count as left out.
    """
    try:
        return list(broken_relations(Project.model_validate(with_preset(tree))))
    except ValidationError as e:
        found = complaints(e)
    try:
        sound = _without(tree, [complaint.path for complaint in found])
        settings = Project.model_validate(with_preset(sound))
    except ValidationError:
        return found
    faulty = [complaint.path for complaint in found]
    return found + [
        complaint
        for complaint in broken_relations(settings)
        if not any(_touch(path, bad) for path in (complaint.path, *complaint.involved) for bad in faulty)
    ]


def _touch(one: KeyPath, other: KeyPath) -> bool:
    """Whether one path is the other or leads through it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _without(tree: Tree, paths: Iterable[KeyPath]) -> Tree:
    """`tree` less the values at `paths`; of a list that holds one, the whole list goes."""
    for path in paths:
        end = next((i for i, part in enumerate(path) if isinstance(part, int)), len(path))
        tree = with_value(tree, path[:end], None) if provides(tree, path[:end]) else tree
    return {"name": "unnamed"} | tree
