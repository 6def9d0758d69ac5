"""What a run was started with: everything needed to repeat it, and to tell it from its neighbours."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

import workbench
from workbench.project.reading import FILE_NAME
from workbench.project.schema import Project
from workbench.project.store import OpenProject
from workbench.prompts.contract import Contract, contract_with

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "tokenizers", "bitsandbytes")
GIT_SECONDS = 5.0


class SpecBase(BaseModel):
    """The base model as it was found: its name in the project, and its folder on the machine of the run."""

    name: str
    folder: str

    @property
    def here(self) -> str:
        """What finds it now: its folder, or its name once the project has moved, to another machine perhaps.

        The fingerprint tells whether what is found is the same.
        """
        return self.folder if Path(self.folder).is_dir() else self.name


class SpecTemplate(BaseModel):
    """The chat template: its setting in the project, and its Jinja text."""

    name: str
    source: str


class SpecGit(BaseModel):
    """The project's git repository: the commit, and whether anything differed from it."""

    commit: str
    changed: bool


class Spec(BaseModel):
    """`spec.json`: written once, before the run starts, and never changed.

    Attributes:
        created: time of creation, in seconds since 1970.
        project: every setting, with profile and overrides laid in.
        project_folder: where the project is now: the folder that holds `runs/`.
        overrides: dotted key to value, as given with `--set`.
        versions: package to version.
        fingerprints: SHA-256 of data, template, tokenizer and base model.
        command: how the run was asked for.
    """

    model_config = ConfigDict(extra="ignore")

    v: Literal[1] = 1
    id: str
    created: float
    project: Project
    project_folder: Path
    profile: str | None = None
    overrides: dict[str, Any] = {}
    base_model: SpecBase
    template: SpecTemplate
    versions: dict[str, str] = {}
    git: SpecGit | None = None
    fingerprints: dict[str, str] = {}
    command: list[str] = []

    @property
    def contract(self) -> Contract:
        """What its prompts were written with. Raises WorkbenchError: a block's file is gone, in old runs."""
        tokenizer = self.fingerprints.get("tokenizer", "")
        return contract_with(self.template.source, tokenizer, self.project.prompt, self.project_folder)

    def open_project(self) -> OpenProject:
        """The project as it was when the run was created, on the data files as they are now."""
        folder = self.project_folder
        return OpenProject(folder, folder / FILE_NAME, "", self.project, self.profile, dict(self.overrides))


class Origin(BaseModel):
    """Where an imported run comes from.

    Attributes:
        file: the file or folder, as it was called then.
        format: what kind of file it was.
        sha256: over the SHA-256 of each file.
        remarks: what was not taken over, or not as it stood.
    """

    file: str
    format: str
    sha256: str
    remarks: list[str] = []


class ImportedSpec(BaseModel):
    """`spec.json` of a run that was trained elsewhere: nobody here knows its project.

    Attributes:
        created: time of the import, in seconds since 1970.
        settings: what the file said of how the run was made.
    """

    model_config = ConfigDict(extra="ignore")

    v: Literal[1] = 1
    id: str
    created: float
    imported: Origin
    settings: dict[str, Any] = {}


def versions() -> dict[str, str]:
    """What is installed, by package; a package that is not installed is left out."""
    found = {"workbench": workbench.__version__, "python": sys.version.partition(" ")[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> SpecGit | None:
    """The commit that `folder` is at; None outside a repository, before its first commit, or without git."""

    def ask(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS).stdout

    try:
        commit = ask("rev-parse", "HEAD").strip()
        return SpecGit(commit=commit, changed=bool(ask("status", "--porcelain", "--", ".").strip()))
    except (OSError, subprocess.SubprocessError):
        return None
