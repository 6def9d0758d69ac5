"""A new project that trains: its sources mapped, its template and its length fitted to the base model."""

from dataclasses import dataclass
from pathlib import Path

from workbench.data.detect.many_files import propose_all
from workbench.data.detect.propose import Proposal
from workbench.errors import Problem, WorkbenchError
from workbench.project.base_model import context_length, locate, reads_as_hub_id
from workbench.project.create import create_project
from workbench.project.model_size import count_parameters, named_size, size_preset
from workbench.project.preset import NONE
from workbench.project.schema import DataSettings
from workbench.prompts.tokenizer import load_tokenizer

PLAIN_TEMPLATE = "vicuna"
"""For base models without a chat template: plain words as role marks and the tokenizer's own end of text, so
that it needs no special token which the model never saw."""


@dataclass(frozen=True)
class NewProject:
    """What was made.

    Attributes:
        file: its project.toml.
        proposals: the mapping of each data file, or of files that are alike, those to train on first.
        left_out: files of the folders named that are no rows, or of no known shape.
        template: the chat template that was chosen.
        why_template: what it was chosen by.
        preset: the preset of `[training]`.
        why_preset: what it was chosen by.
    """

    file: Path
    proposals: list[Proposal]
    left_out: list[Problem]
    template: str
    why_template: str
    preset: str
    why_preset: str


def new_project(folder: Path, files: list[Path], base: str, preset: str = "") -> NewProject:
    """A project around data files, with a mapping proposed for each shape of them.

    Args:
        folder: the project's folder.
        files: files, folders, globs or `hub:owner/name`.
        base: the base model, as `model.base`.
        preset: as `training.preset`; empty for the one of the base model's size.

    Raises:
        WorkbenchError: the problems of all files at once, a base folder that is none, those of
            `create_project`.
    """
    proposed = propose_all(files)
    proposals = proposed.proposals
    if proposals and all("split" in proposal.table for proposal in proposals):
        what, hint = "no row has an answer to train on", "name a file with answers as well"
        raise WorkbenchError(*(Problem(what, str(file), hint) for file in files))
    template, why, max_tokens = _fitting(base)
    tables = [proposal.table for proposal in proposals]
    preset, why_preset = (preset, "as you said") if preset else _by_size(base)
    name = folder.resolve().name
    file = create_project(folder, name, tables, base, template, max_tokens, preset, why_preset)
    return NewProject(file, proposals, proposed.left_out, template, why, preset, why_preset)


def _by_size(base: str) -> tuple[str, str]:
    """The preset of the base model's size, and where that is known from."""
    try:
        parameters = count_parameters(locate(base, Path.cwd(), weights=False).folder)
        whence = "the base model has"
    except WorkbenchError:
        parameters, whence = named_size(base), "by its name the base model has"
    if parameters is None:
        return NONE, "the size of the base model is not known; `workbench presets` lists them"
    unit, words = (1e9, "billion") if parameters >= 1e8 else (1e6, "million")
    return size_preset(parameters), f"{whence} {parameters / unit:.2g} {words} parameters"


def _fitting(base: str) -> tuple[str, str, int]:
    """A template that the base model's tokenizer can write, why, and a length that it has positions for.

    A hub model that is not in the local cache is taken to be a chat model: nothing is fetched here.
    """
    default = DataSettings().max_tokens
    try:
        located = locate(base, Path.cwd(), weights=False)
    except WorkbenchError:
        if not reads_as_hub_id(base) or Path(base).is_dir():
            raise
        return "base", "the base model is taken to have a chat template; it is not here yet", default
    template, why = "base", "the base model has a chat template"
    if not load_tokenizer(located.folder).chat_template:
        template, why = PLAIN_TEMPLATE, "the base model has no chat template"
    return template, why, min(default, context_length(located.folder) or default)
