"""Run folders, `projects/<name>/runs/<id>/`: all that is known of a run, in plain files."""

import difflib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os.path import abspath, isfile, samefile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import locate
from workbench.project.files import make_folder, write_atomic
from workbench.project.paths import expanded
from workbench.project.store import OpenProject
from workbench.prompts.blocks import with_texts
from workbench.runs.naming import about
from workbench.runs.spec import ImportedSpec, Spec, SpecBase, SpecTemplate, git_state, versions

RUNS = "runs"

_SpecModel = TypeVar("_SpecModel", bound=BaseModel)


@dataclass(frozen=True)
class Run:
    """The places of one run; nothing is read until it is asked for."""

    folder: Path

    @property
    def id(self) -> str:
        """The run's name: when it was created, and what it trains."""
        return self.folder.name

    @property
    def spec(self) -> Path:
        """What the run was started with; its presence makes the folder a run."""
        return self.folder / "spec.json"

    @property
    def events(self) -> Path:
        """What happened, one JSON object a line."""
        return self.folder / "events.jsonl"

    @property
    def console(self) -> Path:
        """All output of the process."""
        return self.folder / "console.log"

    @property
    def lock(self) -> Path:
        """Locked by the living process."""
        return self.folder / "lock"

    @property
    def control(self) -> Path:
        """Commands that the run has not taken up yet."""
        return self.folder / "control"

    @property
    def checkpoints(self) -> Path:
        """`step-N` folders."""
        return self.folder / "checkpoints"


def create_run(
    project: OpenProject, command: Sequence[str], fingerprints: Mapping[str, str], template_source: str
) -> Run:
    """Make the folder of a new run and write what it is started with.

    Args:
        project: with profile and overrides laid in.
        command: how the run was asked for.
        fingerprints: as `workbench.prompts.fingerprint.fingerprints` gives them.
        template_source: the Jinja text of the chat template.

    Raises:
        WorkbenchError: the base model is missing, or the folder cannot be written.
    """
    settings = project.settings
    prompt = with_texts(settings.prompt, project.folder)  # their files may be others tomorrow
    base = locate(settings.model.base, project.folder)
    created = time.time()
    run = _new_folder(project.folder / RUNS, _name(project, created))
    spec = Spec(
        id=run.id,
        created=created,
        project=settings.model_copy(update={"prompt": prompt}),
        project_folder=project.folder,
        profile=project.profile,
        overrides=project.overrides,
        base_model=SpecBase(name=base.name, folder=str(base.folder)),
        template=SpecTemplate(name=settings.prompt.template, source=template_source),
        versions=versions(),
        git=git_state(project.folder),
        fingerprints=dict(fingerprints),
        command=list(command),
    )
    # Last: a folder without it is no run yet
    write_atomic(run.spec, spec.model_dump_json(indent=2) + "\n")
    return run


def _name(project: OpenProject, created: float) -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(created))}-{about(project)}"


def _new_folder(parent: Path, name: str) -> Run:
    """Two launches in the same second get two folders: making one either succeeds or says it is there."""
    if parent.exists() and not parent.is_dir():
        raise fault("a file is in the way", parent, "runs are kept in a folder of this name: move the file")
    try:
        run = Run(make_folder(parent, name))
        run.control.mkdir()
        run.checkpoints.mkdir()
    except OSError as error:
        hint = "make it writable, or a link to a folder that is"
        raise fault(f"cannot make a run folder: {error.strerror or error}", parent, hint) from error
    return run


def read_spec(run: Run) -> Spec:
    """What `run` was started with; `project_folder` is where the project is now.

    Raises:
        WorkbenchError: spec.json is missing, broken, of a newer format, or that of an imported run.
    """
    content = _spec_content(run)
    if _is_imported(content):
        raise fault(
            "this run was imported: it has no settings and no checkpoints, only its curves",
            run.id,
            f"workbench show {run.folder} says where from",
        )
    spec = _parsed(Spec, run, content)
    # A project that was moved or copied takes its runs along, and they must read its own data
    return spec.model_copy(update={"project_folder": run.folder.absolute().parents[1]})


def read_imported(run: Run) -> ImportedSpec | None:
    """Where `run` was imported from; None for a run of our own.

    Raises:
        WorkbenchError: spec.json is missing or broken.
    """
    content = _spec_content(run)
    return _parsed(ImportedSpec, run, content) if _is_imported(content) else None


def _spec_content(run: Run) -> bytes:
    try:
        return run.spec.read_bytes()
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", run.spec) from error


def _is_imported(content: bytes) -> bool:
    try:
        spec = from_json(content)
    except ValueError:
        return False  # what is wrong with it is for the model to say
    return isinstance(spec, dict) and "imported" in spec


def _parsed(model: type[_SpecModel], run: Run, content: bytes) -> _SpecModel:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        where = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
        problems = [Problem(f"{key}: {message}" if key else message, str(run.spec)) for key, message in where]
        raise WorkbenchError(*problems) from error


def list_runs(project_folder: Path) -> list[Run]:
    """The runs of a project, newest first."""
    try:
        folders = list((project_folder / RUNS).iterdir())
    except OSError:
        return []
    # `isfile` takes a folder that may not be looked into for none; `Path.is_file` raises
    runs = [Run(folder) for folder in folders if isfile(folder / "spec.json")]
    return sorted(runs, key=_age, reverse=True)


def _age(run: Run) -> tuple[list[tuple[int, str]], str]:
    """Sorts names as a person would: `-10` comes after `-9`."""
    parts = re.split(r"(\d+)", run.id)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts], str(run.folder)


def find_run(text: str, projects: Path | None = None) -> Run:
    """The run that a person means.

    Args:
        text: a run's id, its folder, or `latest`.
        projects: a project, or a folder of projects; without it the current folder and its `projects/`.

    Raises:
        WorkbenchError: there is no such run, or several of that name.
    """
    folder = Path(abspath(expanded(text)))
    if isfile(folder / "spec.json"):
        return Run(folder)
    roots = [projects] if projects else [Path.cwd(), Path.cwd() / "projects"]
    known = list(dict.fromkeys(_all_runs(roots)))
    places = " and ".join(map(str, roots))
    if not known:
        raise fault("there are no runs yet", places, "workbench train PROJECT starts one")
    if text == "latest":
        return max(known, key=_age)
    found = [run for run in known if run.id == text]
    if len(found) == 1:
        return found[0]
    if found:
        raise fault(f"{len(found)} runs are called {text}", hint=f"name its folder: {_listing(found)}")
    near = difflib.get_close_matches(text, [run.id for run in known], n=1)
    hint = f"did you mean {near[0]}?" if near else f"the newest is {max(known, key=_age).id}"
    raise fault(f"no run {text!r}", places, hint)


def require_own(run: Run, project_folder: Path) -> None:
    """Refuse, with a WorkbenchError, a run that was named by its folder and belongs to another project."""
    if not samefile(run.folder.parents[1], project_folder):
        raise fault("this run belongs to another project", run.folder, f"not to {project_folder}")


def _all_runs(roots: Sequence[Path]) -> Iterator[Run]:
    """Every run of the projects that are, or lie in, one of `roots`."""
    for root in roots:
        with suppress(OSError):
            for project in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
                yield from list_runs(project.absolute())


def _listing(runs: Sequence[Run]) -> str:
    return ", ".join(str(run.folder) for run in runs)
