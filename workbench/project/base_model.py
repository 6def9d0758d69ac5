"""Finding the base model that a project names, and telling what is wrong with it before torch is loaded."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BaseModel:
    """A base model on this machine: the name the project gives it, and the folder that holds it."""

    name: str
    folder: Path


def locate(base: str, project_folder: Path, *, download: bool = False, weights: bool = True) -> BaseModel:
    """The base model that `[model] base` names."""
    raise NotImplementedError
