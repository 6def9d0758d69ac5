"""A new project: a commented project.toml that explains itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from workbench.errors import fault
from workbench.project.files import write_atomic
from workbench.project.paths import expanded, placed
from workbench.project.preset import NONE
from workbench.project.preset import preset as preset_of
from workbench.project.reading import FILE_NAME
from workbench.project.schema import FORMAT, DataSettings
from workbench.project.source_text import source_toml
from workbench.project.store import open_project
from workbench.project.training import PRESETS

_TEMPLATE = """\
# Everything that `workbench` does here follows from this file. What is left out has its default;
# the setup pane of `workbench` lists every setting with its help, and keeps your comments when it saves.
format = {format}
{name}
about = ""

[model]
{base}

[data]
{data}
{sources}
[prompt]
{template}

[training]
{preset} # {why_preset}
# rank = 32                  # what is written here goes over it; see `workbench presets {shown_preset}`

[profile.tiny]               # `--profile tiny`: a short run that only shows that all parts fit together
training.max_steps = 20
"""
_VALIDATION = "validation = 0.1             # held-out rows: a share, or a count from 1\n"
_MAX_TOKENS = "max_tokens = {:<16} # longer examples are left out, and counted\n"
_NO_SOURCE = """\
# [[data.source]]            # take the # away: where the rows come from; repeat it for more files
# kind = "fields"            # columns become a question and an answer; "messages" for lists of turns
# path = "data/train.jsonl"
# user = ["{instruction}", "{input}"]
# assistant = "{output}"
"""


def create_project(
    folder: Path,
    name: str,
    sources: Sequence[Mapping[str, Any]],
    base: str,
    template: str = "base",
    max_tokens: int = 1024,
    preset: str = NONE,
    why_preset: str = "a preset by model size or of a real project",
) -> Path:
    """Write a commented project.toml.

    Args:
        folder: the project's folder, made where it is missing; other files in it are left alone.
        name: the project's name.
        sources: `[[data.source]]` tables; a `path` inside `folder` is written relative to it, else absolute.
        base: hub id, folder (as seen from the working directory) or `embedded`.
        template: `base`, a built-in name, or a .jinja file of the project.
        max_tokens: the longest example.
        preset: whose values `[training]` begins with.
        why_preset: what it was chosen by, on one line.

    Returns:
        The path of the project.toml.

    Raises:
        WorkbenchError: there is a project already, the folder cannot be made, or a source is not valid.
    """
    file = folder / FILE_NAME
    if file.exists():
        raise fault("there is a project already", file, "nothing was written; choose another folder")
    tables = [placed(table, folder) for table in sources]
    text = _TEMPLATE.format(
        format=FORMAT,
        name=_line("name", name),
        base=_line("base", _base(base)),
        template=_line("template", template),
        data=_data(preset, max_tokens),
        preset=_line("preset", preset).ljust(28),
        shown_preset=preset if preset != NONE else "NAME",
        why_preset=why_preset,
        sources="\n".join(source_toml(table) for table in tables) or _NO_SOURCE,
    )
    existed = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise fault(f"the folder cannot be made: {e.strerror or e}", folder) from e
    write_atomic(file, text)
    try:
        open_project(file)
    except BaseException:
        file.unlink(missing_ok=True)
        if not existed:
            folder.rmdir()
        raise
    return file


def _data(preset_name: str, max_tokens: int) -> str:
    """What `[data]` begins with, less what the preset says; but a base model may allow less than that."""
    said = preset_of(preset_name).values if preset_name in PRESETS else {}
    lines = "" if "data.validation" in said else _VALIDATION
    if "data.max_tokens" not in said or max_tokens < DataSettings().max_tokens:
        lines += _MAX_TOKENS.format(max_tokens)
    return lines


def _line(key: str, value: str) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")


def _base(base: str) -> str:
    """A folder is written absolute: the project looks from its own folder, the user from where they stand."""
    if base != "embedded" and (path := expanded(base)).is_dir():
        return path.resolve().as_posix()
    return base
