"""What is said of made rows: how many, by what, from what, and what is to be remarked."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.data.augment.remarks import remarks
from workbench.data.example import Example
from workbench.errors import WorkbenchError
from workbench.project.schema import Augmentation
from workbench.ui.text import counted, shown

if TYPE_CHECKING:
    from workbench.data.augment.making import MadeRow
    from workbench.data.augment.project import Plan
    from workbench.project.store import OpenProject
    from workbench.ui.workspace import Workspace


def settings_line(settings: Augmentation) -> str:
    """`[augmentation]` on one line."""
    parts = [
        f"target {settings.target:,}" if settings.target else "no target",
        f"breaks {'on' if settings.break_conversations else 'off'}",
        counted(len(settings.keywords), "keyword"),
        counted(len(settings.paraphrases), "paraphrase"),
        f"seed {settings.seed}",
    ]
    return ", ".join(parts)


def counts(planned: "Plan") -> Text:
    """How many rows there would be, and by what they are made."""
    made = planned.made
    text = Text(f"{counted(made.originals, 'original')} + {len(made.rows):,} made = ")
    text.append(f"{made.total:,}", "bold")
    if made.target:
        text.append(f" of {made.target:,}")
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in made.kinds.items())
    text.append_text(shown(f"   {kinds}" if kinds else ""))
    if planned.held_out:
        text.append(f"   from {planned.held_out:,} held out: none")
    return text


def remarks_of(project: "OpenProject", planned: "Plan") -> list[str]:
    """Why there are no more rows, and what these change in training."""
    return remarks(project.settings, planned.made)


def provenance(planned: "Plan", made: "MadeRow") -> Text:
    """What a row is made from, and how."""
    origin = made.example.origin
    text = shown(f"made from {planned.sources[origin.source]} row {origin.row:,}\n", "bold")
    return text.append_text(shown("".join(f"by {how}\n" for how in made.by) + "\n"))


def original(workspace: "Workspace", planned: "Plan", made: "MadeRow") -> Example | None:
    """The row that one is made from, as far as the made one goes; None when it cannot be read any more."""
    origin, dataset = made.example.origin, workspace.opened
    if dataset is None:
        return None
    try:
        outcome = dataset.example(planned.numbers[origin.source], origin.row)
    except WorkbenchError:
        return None
    length = len(made.example.messages)
    if not isinstance(outcome, Example) or len(outcome.messages) < length:
        return None
    return replace(outcome, messages=outcome.messages[:length])
