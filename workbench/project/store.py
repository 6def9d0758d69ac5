"""Reading, checking and changing `project.toml`."""

import fcntl
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import fault
from workbench.project.checking import Document, Override, check
from workbench.project.complaints import shown
from workbench.project.files import write_atomic
from workbench.project.layers import Tree, key_path, provides
from workbench.project.paths import HUB, expanded, placed
from workbench.project.reading import FILE_NAME, find_projects, parse, project_file, read_text
from workbench.project.schema import Project

__all__ = ["OpenProject", "add_source", "find_projects", "open_project", "parse_override", "save_settings"]

_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


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

    def document(self) -> Document:
        """The file as it was read, parsed once more."""
        return Document(FILE_NAME, self.text, tomllib.loads(self.text))


def open_project(path: Path, profile: str | None = None, overrides: Mapping[str, Any] = {}) -> OpenProject:
    """Read and check a project: its folder, or its project.toml.

    Args:
        path: folder or file; `~` is the home folder.
        profile: name of a `[profile.NAME]` to lay over the file.
        overrides: dotted key to value, laid over both.

    Raises:
        WorkbenchError: there is no project, it cannot be read, or all that is wrong with it, with lines.
    """
    file = project_file(expanded(path))
    text = read_text(file)
    return _opened(file, text, profile, dict(overrides))


def save_settings(project: OpenProject, changes: Mapping[str, Any | None]) -> OpenProject:
    """Write changed settings and read the project again; comments and order of the file stay.

    A key that the profile in use sets is changed there, any other in the file's own tables. An override of a
    changed key is dropped, so that what was saved is what holds. Nothing is written when nothing changes.

    Args:
        project: as it was opened.
        changes: dotted key to value; None takes the key out, back to the default.

    Raises:
        WorkbenchError: the file changed on disk since it was opened, the new settings are wrong, or the file
            cannot be written. The file is untouched then.
    """
    from workbench.project.editing import with_setting

    document = project.document()
    check(document, project.profile, [Override(key, value, key) for key, value in changes.items()])
    text = project.text
    for key, value in changes.items():
        text = with_setting(text, _home(document.tree, project.profile, key), value)
    return _save(
        project, text, {key: value for key, value in project.overrides.items() if key not in changes}
    )


def add_source(project: OpenProject, table: Mapping[str, Any]) -> OpenProject:
    """As `add_sources`, of one."""
    return add_sources(project, [table])


def add_sources(project: OpenProject, tables: Sequence[Mapping[str, Any]]) -> OpenProject:
    """Append a `[[data.source]]` each and read the project again; comments and order of the file stay. Where
    the profile in use has sources of its own, they are appended to those.

    Args:
        project: as it was opened.
        tables: the sources; paths of files as for `placed`.

    Raises:
        WorkbenchError: a source is there already, or as `save_settings`. None is written then.
    """
    from workbench.project.editing import sources_at, with_source
    from workbench.project.source_text import SOURCES

    text = project.text
    path = _home(project.document().tree, project.profile, ".".join(SOURCES))
    for own in (placed(table, project.folder) for table in tables):
        for n, other in enumerate(sources_at(project.document().tree, path)):
            if _drawn_from(other, project.folder) == _drawn_from(own, project.folder):
                place = project.document().place((*path, n))
                what = f"this source is there already, {own['path']}: its rows would train twice"
                raise fault(what, place)
        text = with_source(text, own, path)
    return _save(project, text, project.overrides)


def parse_override(text: str) -> tuple[str, Any]:
    """`training.rank=8` as key and value; the value is read as TOML, else taken as plain text.

    Raises:
        WorkbenchError: there is no `=`, or no key before it.
    """
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not _KEY.fullmatch(key):
        raise fault("not of the form KEY=VALUE", f"--set {text}", "such as --set training.rank=8")
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, parsed["value"] if parsed.keys() == {"value"} else value


def _opened(file: Path, text: str, profile: str | None, overrides: dict[str, Any]) -> OpenProject:
    document = Document(FILE_NAME, text, parse(text))
    laid = [Override(key, value, _command(key, value)) for key, value in overrides.items()]
    return OpenProject(file.parent, file, text, check(document, profile, laid), profile, overrides)


def _command(key: str, value: Any) -> str:
    """What the user wrote on the command line, or near enough."""
    if isinstance(value, list | dict):
        return f"--set {key}"
    return f"--set {key}={value if isinstance(value, str) else shown(value)}"


def _home(tree: Tree, profile: str | None, key: str) -> tuple[str | int, ...]:
    """Where a setting is written: in the profile in use if that sets it, else in the file's own tables."""
    path = key_path(key)
    if profile is not None and provides(tree["profile"][profile], path):
        return ("profile", profile, *path)
    return path


def _drawn_from(table: Mapping[str, Any], folder: Path) -> list[Any]:
    """What two sources with the same rows have in common."""
    path = table["path"] if table["path"].startswith(HUB) else (folder / expanded(table["path"])).resolve()
    return [path, *(table.get(key) for key in ("rows", "where", "hub_split", "hub_config"))]


def _save(project: OpenProject, text: str, overrides: dict[str, Any]) -> OpenProject:
    if not project.folder.is_dir():
        raise fault("the project's folder is gone", project.folder)
    with _folder_lock(project.folder):
        if read_text(project.file) != project.text:
            hint = "open it again, then change it; nothing was written"
            raise fault("changed on disk since it was opened", project.file, hint)
        saved = _opened(project.file, text, project.profile, overrides)
        if text != project.text:
            write_atomic(project.file, text)
    return saved


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Keep a second workbench from writing between our look at the file and our own writing."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems have no locks; the look at the file remains
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
