"""`few_shot.json` of a project: the examples that were drawn, so that every evaluation uses the same ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.data.dataset import Dataset
from workbench.data.digest import digest, digest_of
from workbench.data.example import Example
from workbench.data.selection import Selection, select
from workbench.errors import fault
from workbench.project.files import write_atomic
from workbench.project.schema import FewShot
from workbench.project.store import OpenProject
from workbench.prompts.shots.few_shot import Deck

FILE_NAME = "few_shot.json"
_MEND = f"workbench few-shot PROJECT --save draws anew; or delete {FILE_NAME}"


class StoredRow(BaseModel):
    """One example: its `[[data.source]]` and its row, both from 0."""

    source: int
    row: int


class StoredShots(BaseModel):
    """What was drawn, and from what.

    Attributes:
        seed: of the draw.
        pool: the side of the split.
        balance: the tag whose values were drawn equally often; empty for none.
        rows: the examples in order.
        digest: 128 bits (hex) of what they say.
    """

    model_config = ConfigDict(strict=True)

    v: Literal[1] = 1
    seed: int
    pool: Literal["train", "validation", "test"]
    balance: str = ""
    rows: list[StoredRow]
    digest: str

    def answers(self, settings: FewShot) -> bool:
        """It is the draw that the settings ask for."""
        asked = (settings.count, settings.seed, settings.pool, settings.balance)
        return asked == (len(self.rows), self.seed, self.pool, self.balance)

    def asked_by(self, settings: FewShot) -> FewShot:
        """The settings that ask for this draw, its form being that of `settings`."""
        draw = {"count": len(self.rows), "seed": self.seed, "pool": self.pool, "balance": self.balance}
        return settings.model_copy(update=draw)


def save_shots(folder: Path, settings: FewShot, examples: Sequence[Example]) -> Path:
    """Write the examples of a draw; returns the file. Raises WorkbenchError when it cannot be written."""
    stored = StoredShots(
        seed=settings.seed,
        pool=settings.pool,
        balance=settings.balance,
        rows=[StoredRow(source=e.origin.source, row=e.origin.row) for e in examples],
        digest=_digest(examples),
    )
    file = folder / FILE_NAME
    write_atomic(file, stored.model_dump_json(indent=2) + "\n")
    return file


def read_shots(folder: Path) -> StoredShots | None:
    """What is stored; None when there is no such file. Raises WorkbenchError when it is broken."""
    file = folder / FILE_NAME
    try:
        return StoredShots.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise fault(f"{first['msg']}{f' ({place})' if place else ''}", file, _MEND) from None
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", file) from None


def stored_examples(folder: Path, stored: StoredShots, dataset: Dataset) -> list[Example]:
    """The stored examples as the data have them now. Raises WorkbenchError when they say something else."""
    examples = []
    for row in stored.rows:
        example = dataset.example(row.source, row.row)
        if isinstance(example, Example):
            examples.append(example)
    if len(examples) != len(stored.rows) or _digest(examples) != stored.digest:
        raise fault("the rows of the stored examples have changed", folder / FILE_NAME, _MEND)
    return examples


def open_deck(
    project: OpenProject, dataset: Dataset, settings: FewShot, selection: Selection | None = None
) -> Deck:
    """The examples of `settings`: the stored ones where `few_shot.json` holds this draw, else drawn now.

    Args:
        project: where `few_shot.json` is, and how the data are split.
        dataset: its opened sources.
        settings: how many, from where, balanced by what.
        selection: which rows stand on which side, where that is known already.

    Raises WorkbenchError: no examples are asked for, there are too few, the stored ones have changed.
    """
    stored = read_shots(project.folder)
    first: list[Example] = []
    if stored is not None and stored.answers(settings):
        first = stored_examples(project.folder, stored, dataset)
    return Deck(dataset, selection or select(dataset, project.settings.data), settings, first)


def _digest(examples: Sequence[Example]) -> str:
    return f"{digest_of(*(str(digest(example)) for example in examples)):032x}"
