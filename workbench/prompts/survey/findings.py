"""What `workbench check` has to say: findings with a name, a level, and the rows they speak of."""

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["red", "yellow", "note"]
SHOWN_ROWS = 200
"""Rows that a finding names; its count goes on."""


@dataclass(slots=True)
class Finding:
    """One thing that a careful person would want to know before GPU time is spent.

    Attributes:
        name: stable and short, such as `leak`; what `data.accept` takes.
        level: red keeps a run from starting unless its name is accepted.
        what: one line with the counts.
        hint: what to do.
        count: rows concerned, 0 when it is about the project as a whole.
        rows: (source, row) of the first of them, from 0.
        accepted: the project accepts it by name.
    """

    name: str
    level: Level
    what: str
    hint: str = ""
    count: int = 0
    rows: list[tuple[int, int]] = field(default_factory=list)
    accepted: bool = False

    @property
    def blocks(self) -> bool:
        """It keeps a run from starting."""
        return self.level == "red" and not self.accepted
