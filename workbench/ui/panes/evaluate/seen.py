"""An evaluation as the pane last read it: taken whole from a thread, never changed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.evaluation.contents import Contents
    from workbench.evaluation.folder import Evaluation
    from workbench.evaluation.jobs import Listed
    from workbench.evaluation.measures import Ranking
    from workbench.evaluation.status import EvaluationStatus


@dataclass(frozen=True)
class Seen:
    """One evaluation.

    Attributes:
        status: where it stands.
        sizes: of its files, which only grow: equal sizes are equal contents.
        known: what it has measured; None where it cannot be read, for the reason in `problem`.
        ranking: the table of it.
    """

    evaluation: "Evaluation"
    status: "EvaluationStatus"
    sizes: tuple[int, ...]
    known: "Contents | None"
    ranking: "Ranking | None"
    problem: str = ""

    @property
    def contents(self) -> "Contents":
        """What it has measured, where there is no problem."""
        assert self.known is not None
        return self.known


def look(listed: "Listed", before: Seen | None) -> Seen:
    """The evaluation as it is now; what has not grown since `before` is not read again."""
    from workbench.evaluation.contents import read_contents
    from workbench.evaluation.measures import ranking
    from workbench.evaluation.status import read_status

    evaluation = listed.evaluation
    status, sizes = read_status(evaluation), _sizes(evaluation.folder)
    if before is not None and before.evaluation == evaluation and before.sizes == sizes:
        return replace(before, status=status)
    try:
        known = read_contents(evaluation)
        # The checks look at every answer: here, in the thread, and not when they are first drawn
        return Seen(evaluation, status, sizes, known, ranking(known))
    except WorkbenchError as error:
        return Seen(evaluation, status, sizes, None, None, str(error))


def _sizes(folder: Path) -> tuple[int, ...]:
    """Of plan, rows, and the files of contestants; votes and issues are read where they are shown."""
    found: list[Any] = [folder / "plan.json", folder / "rows.jsonl", *sorted(folder.glob("contestants/*/*"))]
    return tuple(_size(path) for path in found)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
