"""Presets: the layer between the defaults and project.toml, `training.preset` says which.

Each is a TOML file of `presets/` that sets keys of [model], [data] and [training], one a line, with where the
value comes from in the line's comment. What project.toml, a profile or `--set` says goes over it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import fault
from workbench.project.complaints import did_you_mean, shown
from workbench.project.layers import Tree, merged, provides
from workbench.project.positions import KeyPath, comments, positions
from workbench.project.schema import Project
from workbench.project.training import PRESETS

FOLDER = Path(__file__).parent / "presets"
NONE = "none"
KEY: KeyPath = ("training", "preset")
SECTIONS = ("model", "data", "training")
"""Tables that a preset may set keys of."""
OF_THE_PROJECT = frozenset({"model.base", "data.source", "training.preset", "training.continue_from"})
"""Settings of those tables that say what is trained rather than how: no preset sets them."""


@dataclass(frozen=True)
class Preset:
    """One file of `presets/`.

    Attributes:
        name: its name, as in `training.preset`.
        about: what it is for: the first line of the file.
        text: the file.
        tree: its tables.
        values: dotted key to value.
        sources: dotted key to where the value comes from.
    """

    name: str
    about: str
    text: str
    tree: Tree
    values: Mapping[str, Any]
    sources: Mapping[str, str]


def presets() -> list[Preset]:
    """All of them: those by size of the base model first."""
    return [preset(name) for name in PRESETS]


@cache
def preset(name: str) -> Preset:
    """The preset of this name, one of `PRESETS`."""
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    lines, places = text.splitlines(), positions(text)
    tree = tomllib.loads(text)
    values = {f"{table}.{key}": value for table, keys in tree.items() for key, value in keys.items()}
    sources = {
        key: " ".join(comments(lines[places[tuple(key.split("."))] - 1])).removeprefix("# ") for key in values
    }
    return Preset(name, lines[0].removeprefix("# "), text, tree, values, sources)


def known_preset(name: str, where: str) -> Preset:
    """The preset that a person asks for by name at the place `where`.

    Raises:
        WorkbenchError: there is none of this name; with the nearest.
    """
    if name not in PRESETS:
        hint = did_you_mean(name, PRESETS) or f"there are {', '.join(PRESETS)}"
        raise fault(f"no preset {shown(name)}", where, hint)
    return preset(name)


def named(tree: Tree) -> Preset | None:
    """The preset that a tree of settings asks for; None for none, and for one that is not there."""
    training = tree.get("training")
    name = training.get("preset") if isinstance(training, dict) else None
    return preset(name) if name in PRESETS else None


def with_preset(tree: Tree) -> Tree:
    """`tree` laid over the preset that it asks for."""
    chosen = named(tree)
    return merged(chosen.tree, tree) if chosen else tree


def comes_from_preset(tree: Tree, path: KeyPath) -> bool:
    """Whether the value at `path` is not the tree's own but that of the preset it asks for."""
    chosen = named(tree)
    return chosen is not None and not provides(tree, path) and provides(chosen.tree, path)


def defaults(name: str) -> Project:
    """All settings of a project that chooses the preset `name`, or none, and says nothing else."""
    tree = {"name": "unnamed", "training": {"preset": name}}
    return Project.model_validate(with_preset(tree))


@dataclass(frozen=True)
class Difference:
    """A setting that a project has otherwise than its preset, and the default where that says nothing."""

    key: str
    value: Any
    default: Any


def differing(keys: Iterable[str]) -> list[str]:
    """Of dotted keys whose values are not the usual ones: those that differ from the preset.

    A preset has nothing to say on what is trained, only on how.
    """
    return [key for key in keys if key.partition(".")[0] in SECTIONS and key not in OF_THE_PROJECT]


def differences(settings: Project) -> list[Difference]:
    """What a project does otherwise than its preset would have it, in the order of the schema."""
    usual = defaults(settings.training.preset).model_dump(include=set(SECTIONS))
    own = settings.model_dump(include=set(SECTIONS))
    keys = [
        f"{section}.{key}"
        for section, table in own.items()
        for key in table
        if table[key] != usual[section][key]
    ]
    parts = [(key, *key.split(".")) for key in differing(keys)]
    return [Difference(key, own[section][name], usual[section][name]) for key, section, name in parts]
