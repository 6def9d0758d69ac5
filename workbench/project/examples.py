"""The projects that come along: where they are, what each is about, and a copy of one to work in."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import workbench
from workbench.errors import fault
from workbench.project.base_model import EMBEDDED
from workbench.project.complaints import did_you_mean
from workbench.project.paths import expanded
from workbench.project.reading import find_projects
from workbench.project.store import OpenProject, open_project, save_settings

_PACKAGE = Path(workbench.__file__).parent
_PLACES = (_PACKAGE / "examples", _PACKAGE.parent / "projects")
"""In an installed wheel; beside the package in a checkout."""
SMALL = "tiny"
"""The profile that runs on the small base model, in those that are for a GPU."""
_WORK = ("runs", "chats", "queue", "evaluations", "exports", "__pycache__")
"""What working on a project leaves in it: never part of a copy."""


@dataclass(frozen=True)
class ExampleProject:
    """A project to begin with.

    Attributes:
        name: its folder's name.
        about: what it shows, in a line.
        folder: where it lies; read only.
    """

    name: str
    about: str
    folder: Path


def example_projects() -> list[ExampleProject]:
    """All that come along, by name; first what is on the small base model anyway, without a profile."""
    place = next((place for place in _PLACES if place.is_dir()), None)
    opened = [open_project(folder) for folder in find_projects(place)] if place else []
    opened.sort(key=lambda project: project.settings.model.base != EMBEDDED)
    return [ExampleProject(each.folder.name, each.settings.about, each.folder) for each in opened]


def copy_example(name: str, folder: Path) -> OpenProject:
    """Copy a project that comes along, without runs, and give it the new folder's name.

    Nothing stands at `folder` before all of it is there.

    Args:
        name: as `example_projects` lists it.
        folder: where the copy goes; missing, or empty.

    Raises:
        WorkbenchError: no such project, something is at `folder` already, or it cannot be written.
    """
    known = {example.name: example for example in example_projects()}
    if name not in known:
        hint = did_you_mean(name, list(known)) or "`workbench new --list` lists them"
        raise fault(f"no project {name!r} comes along", "--like", hint)
    folder = expanded(folder).absolute()
    staging = folder.with_name(f".{folder.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise fault("there is something already", folder, "nothing was written; choose another folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        source = str(known[name].folder)
        shutil.copytree(source, staging, ignore=lambda here, _: _WORK if here == source else ())
        staging.rename(folder)
    except OSError as e:  # copytree's own error has no errno, but a list
        raise fault(f"the project cannot be copied: {e.strerror or e}", folder) from e
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    project = open_project(folder)
    return save_settings(project, {} if folder.name == name else {"name": folder.name})
