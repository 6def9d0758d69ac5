"""What can be known before torch is loaded: what would fail after minutes fails at once, and says why."""

import shutil
from collections import Counter

from workbench.data.dataset import open_dataset
from workbench.data.example import Example, Rejected
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.base_model import BaseModel, locate
from workbench.project.store import OpenProject
from workbench.prompts.encode import Encoder, make_encoder

LEAST_FREE_BYTES = 64 * 1024 * 1024


def check(project: OpenProject) -> str:
    """Raise unless `project` can be trained as far as can be told from here.

    A base model that is only on the hub is fetched.

    Returns:
        The Jinja text of the chat template.

    Raises:
        WorkbenchError: no base model, tokenizer or template; a data file that cannot be read; no row that can
        be trained on; not enough disk space for one checkpoint.
    """
    base = locate(project.settings.model.base, project.folder, download=True)
    encoder = make_encoder(project)
    _require_a_row(project, encoder)
    _require_space(project, base)
    return encoder.template.source


def _require_a_row(project: OpenProject, encoder: Encoder) -> None:
    """Looks no further than the first example; the training process counts all."""
    dataset = open_dataset(project)
    try:
        broken = [state.error for state in dataset.sources if state.error]
        if broken:
            raise WorkbenchError(*(problem for error in broken for problem in error.problems))
        if not dataset.sources:
            raise fault("the project has no data", project.file, "add a [[data.source]]")
        reasons: Counter[str] = Counter()
        for number in range(len(dataset.sources)):
            for outcome in dataset.outcomes(number):
                encoded = encoder.encode(outcome) if isinstance(outcome, Example) else outcome
                if not isinstance(encoded, Rejected):
                    return
                reasons[encoded.reason] += 1
    finally:
        dataset.close()
    counts = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    raise fault("no row can be trained on", "data.source", counts or "the files have no rows")


def _require_space(project: OpenProject, base: BaseModel) -> None:
    """Space for one checkpoint: when all weights train, they and the two moments of AdamW."""
    needed = LEAST_FREE_BYTES
    if project.settings.training.method == "full":
        needed += 3 * sum(file.stat().st_size for file in base.folder.glob("*.safetensors"))
    free = shutil.disk_usage(project.folder).free
    if free < needed:
        what = f"{free / 1e6:,.0f} MB free, a checkpoint needs about {needed / 1e6:,.0f} MB"
        raise WorkbenchError(Problem(what, str(project.folder), "free some space"))
