"""Augmentation of a project: made from what it trains on and from nothing else, so that no held-out row has
children in training.

The file of made rows is a source of the project too once it is added. It is left out of all that is looked at
here: rows are made from originals, and the split is drawn as it is without made rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.data.augment.making import Augmented, Questions, augment
from workbench.data.augment.output import PATH, source_table, write
from workbench.data.dataset import Dataset, open_dataset
from workbench.data.example import Example, Origin
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.selection import select
from workbench.errors import fault
from workbench.project.paths import HUB, expanded
from workbench.project.source import Source
from workbench.project.store import OpenProject, add_source

_SELECTING = 0.7
"""Share of the work that reading the rows is."""


@dataclass(slots=True)
class Plan:
    """What would be written.

    Attributes:
        path: the file of made rows.
        made: the rows.
        held_out: rows of validation and test, of which nothing was made.
        table: the `[[data.source]]` for the file; its path is absolute.
        sources: the path of each source as the project names it, by the number in the rows' origins.
        numbers: the number of each of these sources in the project.
        added: the project has a source for the file.
    """

    path: Path
    made: Augmented
    held_out: int
    table: dict[str, Any]
    sources: list[str]
    numbers: list[int]
    added: bool


Ask = Callable[[Sequence[Example]], Questions]
"""Finds whole questions that may stand for those of the originals."""


def plan(
    project: OpenProject,
    ask: Ask | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Plan:
    """Make the rows of a project, in memory; nothing is written.

    Args:
        project: with the sources and `[augmentation]`.
        ask: asked for more variants, such as a model's, once the originals are known.
        progress: told the share that is done.
        cancelled: asked now and then.

    Raises:
        WorkbenchError: a source cannot be read, one of them reads the made rows as originals, there is
            nothing to train on, or settings that cannot be carried out. Cancelled: nothing was decided.
    """
    path = project.folder / PATH
    data = project.settings.data
    own = [_is_file(source, project.folder, path) for source in data.source]
    numbers = [number for number, made in enumerate(own) if not made]
    rest = data.model_copy(update={"source": [data.source[number] for number in numbers]})
    dataset = open_dataset(replace(project, settings=project.settings.model_copy(update={"data": rest})))
    try:
        dataset.require_readable()
        _refuse_own(dataset, path)
        share = (lambda done: progress(done * _SELECTING)) if progress else None
        selection = select(dataset, rest, share, cancelled)
        if not selection.complete:
            raise fault("was cancelled: nothing was made")
        originals = _examples(dataset, selection.sides["train"])
        held = [
            *_examples(dataset, selection.sides["validation"]),
            *_examples(dataset, selection.sides["test"]),
        ]
    finally:
        dataset.close()
    if not originals:
        reasons = [
            f"{len(rows):,} x {reason}"
            for each in selection.reports
            for reason, rows in each.rejected.items()
        ]
        why = f" ({', '.join(reasons)})" if reasons else ""
        raise fault(f"no row is trained on{why}: there is nothing to make rows from", project.file)
    questions = ask(originals) if ask else None
    rising = (lambda done: progress(_SELECTING + done * (1 - _SELECTING))) if progress else None
    made = augment(originals, project.settings.augmentation, held, questions, rising)
    names = [source.path for source in rest.source]
    return Plan(path, made, len(held), source_table(str(path), made.rows), names, numbers, any(own))


def carry_out(project: OpenProject, plan: Plan, *, force: bool = False) -> OpenProject:
    """Write the file, and add its source where the project has none for it yet.

    Raises:
        WorkbenchError: nothing was made, the file was edited and `force` is False, it cannot be written, or
            the project changed on disk.
    """
    if not plan.made.rows:
        raise fault("no row could be made: nothing was written", plan.path)
    write(plan.path, plan.made.rows, plan.sources, force=force)
    return project if plan.added else add_source(project, plan.table)


def _examples(dataset: Dataset, origins: Iterable[Origin]) -> list[Example]:
    outcomes = (dataset.example(origin.source, origin.row) for origin in origins)
    return [outcome for outcome in outcomes if isinstance(outcome, Example)]


def _is_file(source: Source, folder: Path, path: Path) -> bool:
    return not source.path.startswith(HUB) and (folder / expanded(source.path)).resolve() == path.resolve()


def _refuse_own(dataset: Dataset, path: Path) -> None:
    """A folder or a pattern may take the made rows in as if they were originals."""
    for state in dataset.sources:
        if state.rows and path.resolve() in (file.resolve() for file in state.rows.files):
            hint = "name the files of the originals, or move them to a folder of their own"
            raise fault(f"reads the made rows of {PATH} as well", state.source.path, hint)
