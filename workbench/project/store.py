"""Reading, checking and changing `project.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.project.schema import Project

FILE_NAME = "project.toml"


@dataclass(frozen=True)
class OpenProject:
    """A project as it was read, with the profile and the overrides laid in.

    Attributes:
        folder: the project's folder, absolute.
        file: its project.toml.
        text: the file as it was read, without a byte order mark.
        settings: all settings, defaults included.
        profile: the name of the profile that is laid over the file, if any.
        overrides: dotted key to value, laid over file and profile.
    """

    folder: Path
    file: Path
    text: str
    settings: Project
    profile: str | None = None
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.name


def open_project(path: Path, profile: str | None = None, overrides: Mapping[str, Any] = {}) -> OpenProject:
    """Read and check a project: its folder, or its project.toml."""
    raise NotImplementedError


def save_settings(project: OpenProject, changes: Mapping[str, Any | None]) -> OpenProject:
    """Write changed settings, dotted key to value (None: back to the default), and read the project again."""
    raise NotImplementedError


def add_source(project: OpenProject, table: Mapping[str, Any]) -> OpenProject:
    """Append a `[[data.source]]` and read the project again."""
    raise NotImplementedError


def find_projects(folder: Path) -> list[Path]:
    """Folders that hold a project.toml: the folder itself, else its children, sorted."""
    raise NotImplementedError


def parse_override(text: str) -> tuple[str, Any]:
    """`training.rank=8` as key and value; the value is read as TOML, else taken as plain text."""
    raise NotImplementedError
