"""An evaluation as the pane last read it: taken whole from a thread, never changed."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents
    from workbench.evaluation.folder import Evaluation
    from workbench.evaluation.ladder import Ladder
    from workbench.evaluation.standing import Table
    from workbench.evaluation.status import EvaluationStatus


CHECK_SECONDS = 0.5
"""Answers are checked so long in one look: the figures are shown before the last one is."""


@dataclass(frozen=True)
class Seen:
    """One evaluation.

    Attributes:
        status: where it stands.
        sizes: of its files, by path. They only grow: equal sizes are equal contents.
        known: what it has measured, row by row; None where it cannot be read, for the reason in `problem`.
        table: its contestants in figures; None as `known`.
    """

    evaluation: "Evaluation"
    status: "EvaluationStatus"
    sizes: dict[Path, int]
    known: "Contents | None" = None
    table: "Table | None" = None
    problem: str = ""

    @property
    def contents(self) -> "Contents":
        """What it has measured, where there is no problem."""
        assert self.known is not None
        return self.known

    @property
    def going(self) -> bool:
        """The next look may find more."""
        return self.status.going or bool(self.table and self.table.unchecked)


class Reader:
    """Reads one evaluation again and again, by one thread at a time."""

    def __init__(self, evaluation: "Evaluation") -> None:
        self.evaluation = evaluation
        self._ladder: Ladder | None = None
        self._last: Seen | None = None
        self._lock = Lock()

    def look(self) -> Seen:
        """The evaluation as it is now; what has not grown is not read again."""
        with self._lock:
            self._last = self._look()
            return self._last

    def _look(self) -> Seen:
        from workbench.evaluation.contents import read_contents
        from workbench.evaluation.ladder import Ladder
        from workbench.evaluation.status import read_status

        evaluation, last = self.evaluation, self._last
        # In this order: what is over has its last line in the files
        status, sizes = read_status(evaluation), _sizes(evaluation.folder)
        if last is not None and (last.sizes, last.status) == (sizes, status) and not last.going:
            return last
        if last is not None and any(sizes.get(path, 0) < size for path, size in last.sizes.items()):
            self._ladder, last = None, None  # somebody took lines away
        try:
            self._ladder = self._ladder or Ladder(evaluation)
            table = self._ladder.read(CHECK_SECONDS)
            known = last.known if last else None
            if last is None or last.sizes != sizes:
                known = read_contents(evaluation, known)
            return Seen(evaluation, status, sizes, known, table)
        except WorkbenchError as error:
            self._ladder = None  # what stands behind a broken line was not read
            return Seen(evaluation, status, sizes, problem=str(error))


def _sizes(folder: Path) -> dict[Path, int]:
    """Of plan, rows, and the files of contestants; votes and issues are read where they are shown."""
    found = [folder / "plan.json", folder / "rows.jsonl", *folder.glob("contestants/*/*")]
    return {path: _size(path) for path in found}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
