"""What became of the rows of each source: every row is in exactly one of the counts."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from workbench.data.example import Example, Rejected


def _rows() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class SourceReport:
    """One source. `read` = kept + filtered + rejected; `kept` = duplicate + not_taken + the rows in use.

    Attributes:
        path: the file, folder or pattern, as found.
        name: what the project calls it; the path's last part without that.
        read: rows looked at.
        kept: rows that became examples.
        filtered: reason to row numbers, from 0, in order: what `where` and length limits left out.
        rejected: reason to row numbers: rows that cannot be used.
        duplicate: rows left out because an earlier row says the same.
        not_taken: examples left out by `take`.
        train: examples that are trained on, each counted `repeat` times.
        validation: examples held out.
        test: examples of a source with `split = "test"`.
        cleaned: cleaning rule, as it is written, to the number of rows it touched.
        error: why the source cannot be read at all; empty when it can.
        complete: False when the count was cancelled before the end of the source.
    """

    path: Path
    name: str = ""
    read: int = 0
    kept: int = 0
    filtered: "dict[str, array[int]]" = field(default_factory=dict)
    rejected: "dict[str, array[int]]" = field(default_factory=dict)
    duplicate: "array[int]" = field(default_factory=_rows)
    not_taken: int = 0
    train: int = 0
    validation: int = 0
    test: int = 0
    cleaned: Counter[str] = field(default_factory=Counter)
    error: str = ""
    complete: bool = True

    def count(self, outcome: Example | Rejected) -> None:
        """Take one row into account."""
        self.read += 1
        if isinstance(outcome, Example):
            self.kept += 1
        else:
            self.reject(outcome)

    def reject(self, outcome: Rejected) -> None:
        """Note a row that is left out, by its reason."""
        reasons = self.filtered if outcome.filtered else self.rejected
        reasons.setdefault(outcome.reason, array("q")).append(outcome.origin.row)

    @property
    def left_out(self) -> list[tuple[str, int, int | None]]:
        """Why rows are not used: reason, number of rows, the first of them where it is known."""
        reasons = [*self.rejected.items(), *self.filtered.items()]
        if self.duplicate:
            reasons.append(("say what an earlier row says", self.duplicate))
        counts: list[tuple[str, int, int | None]] = [(why, len(rows), rows[0]) for why, rows in reasons]
        return counts + ([("beyond what `take` asks for", self.not_taken, None)] if self.not_taken else [])

    @property
    def used(self) -> int:
        """Examples that training, validation or test sees, repeats included."""
        return self.train + self.validation + self.test

    @property
    def lost(self) -> bool:
        """A source with rows of which none is used: its person must be told in red."""
        return bool(self.error) or (self.complete and self.read > 0 and self.used == 0)
