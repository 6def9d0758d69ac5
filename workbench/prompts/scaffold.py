"""A new project that trains: its sources mapped, its template and its length fitted to the base model."""

import json
from pathlib import Path
from typing import Any

from workbench.data.detect import propose
from workbench.errors import Problem, WorkbenchError
from workbench.project.base_model import locate, reads_as_hub_id
from workbench.project.create import create_project
from workbench.project.paths import expanded
from workbench.project.schema import DataSettings
from workbench.prompts.tokenizer import load_tokenizer

PLAIN_TEMPLATE = "vicuna"
"""For base models without a chat template: plain words as role marks and the tokenizer's own end of text, so
that it needs no special token which the model never saw."""


def new_project(folder: Path, files: list[Path], base: str) -> Path:
    """A project around data files, with a mapping proposed for each. Returns its project.toml.

    Raises:
        WorkbenchError: the problems of all files at once, a base folder that is none, those of
            `create_project`.
    """
    tables: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            tables.append(propose(expanded(file).resolve()))
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise WorkbenchError(*problems)
    template, max_tokens = _fitting(base)
    return create_project(folder, folder.resolve().name, tables, base, template, max_tokens)


def _fitting(base: str) -> tuple[str, int]:
    """A template that the base model's tokenizer can write, and a length that it has positions for.

    A hub model that is not in the local cache is taken to be a chat model: nothing is fetched here.
    """
    default = DataSettings().max_tokens
    try:
        located = locate(base, Path.cwd(), weights=False)
    except WorkbenchError:
        if not reads_as_hub_id(base) or Path(base).is_dir():
            raise
        return "base", default
    template = "base" if load_tokenizer(located.folder).chat_template else PLAIN_TEMPLATE
    config = json.loads((located.folder / "config.json").read_text(encoding="utf-8"))
    positions = config.get("max_position_embeddings")
    return template, min(default, positions) if isinstance(positions, int) else default
