"""What can be known before torch is loaded: what would fail or come out wrong is refused, and says why."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec

from workbench.data.dataset import open_dataset
from workbench.data.files.rows import Progress
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import BaseModel, locate
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.survey.findings import Finding
from workbench.prompts.survey.survey import Survey, survey
from workbench.runs.continuing import find_adapter, require_fit

LEAST_FREE_BYTES = 64 * 1024 * 1024


class RedFindings(WorkbenchError):
    """What was found in the rows keeps a run from starting: the project is well written, its data are not."""


Look = Callable[[OpenProject, Progress | None], Survey]
"""Makes a survey of all rows, or finds the one that was made."""


def check(project: OpenProject, progress: Progress | None = None, look: Look = survey) -> str:
    """Raise unless `project` can be trained as far as can be told from here.

    A base model that is only on the hub is fetched. Every row is looked at, unless that was done before.

    Args:
        project: with profile and overrides laid in.
        progress: told the share of the rows that is done.
        look: how the rows are looked at; a screen has it done by another process.

    Returns:
        The Jinja text of the chat template.

    Raises:
        RedFindings: red findings that `data.accept` does not name.
        WorkbenchError: no base model, tokenizer or template; an adapter to go on from that is not there or
            fits another base; a data file that cannot be read; not enough disk space for one checkpoint; no
            package for one of `launch.report_to`.
    """
    base = locate(project.settings.model.base, project.folder, download=True)
    if adapter := find_adapter(project):
        require_fit(adapter, project)
    _require_reporters(project)
    encoder = make_encoder(project)
    _require_data(project)
    if findings := look(project, progress).blocking:
        raise RedFindings(*map(_refused, findings))
    _require_space(project, base)
    return encoder.template.source


def _require_data(project: OpenProject) -> None:
    dataset = open_dataset(project)
    try:
        dataset.require_readable()
    finally:
        dataset.close()
    if not dataset.sources:
        raise fault("the project has no data", project.file, "add a [[data.source]]")


def _require_reporters(project: OpenProject) -> None:
    """Who gets the figures needs a package; finding it loads nothing."""
    for name in project.settings.launch.report_to:
        packages = ("tensorboard", "tensorboardX") if name == "tensorboard" else (name,)
        if not any(map(find_spec, packages)):
            raise fault(
                f"{name} is not installed", "launch.report_to", f"pip install {name}, or leave it out"
            )


def _refused(finding: Finding) -> Problem:
    """A red finding as an error, with the way around it."""
    around = f"to start all the same: --set data.accept='[\"{finding.name}\"]'"
    return Problem(finding.what, finding.name, f"{finding.hint}; {around}" if finding.hint else around)


def _require_space(project: OpenProject, base: BaseModel) -> None:
    """Space for one checkpoint: when all weights train, they and the two moments of AdamW."""
    needed = LEAST_FREE_BYTES
    if project.settings.training.method == "full":
        needed += 3 * sum(file.stat().st_size for file in base.folder.glob("*.safetensors"))
    free = shutil.disk_usage(project.folder).free
    if free < needed:
        what = f"{free / 1e6:,.0f} MB free, a checkpoint needs about {needed / 1e6:,.0f} MB"
        raise WorkbenchError(Problem(what, str(project.folder), "free some space"))
