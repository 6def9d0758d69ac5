"""A new project: a commented project.toml that explains itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def create_project(
    folder: Path, name: str, sources: Sequence[Mapping[str, Any]], base: str, template: str = "base"
) -> Path:
    """Write `folder`/project.toml and return its path."""
    raise NotImplementedError
