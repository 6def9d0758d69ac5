"""The selection of a large project made by a process of its own, so that a screen stays quick meanwhile.

`python -m workbench.data.selection_process FILE` is that process: it reads a pickled project from stdin, says
its progress line by line, and leaves the pickled selection, or the error, in FILE.
"""

import pickle
import sys
import tempfile
from pathlib import Path

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.files.rows import Cancelled, Progress
from workbench.data.selection import Selection, select
from workbench.errors import WorkbenchError, fault
from workbench.project import child
from workbench.project.store import OpenProject

SMALL = 16 * 2**20
"""Bytes of data that are looked at in a second or so."""


def selected(
    project: OpenProject, dataset: Dataset, progress: Progress, cancelled: Cancelled
) -> Selection | None:
    """As `select`; None when it was cancelled. Called from a worker thread, blocks until it is done.

    Args:
        project: with profile and overrides laid in.
        dataset: its sources.
        progress: told the share of the rows that is done.
        cancelled: asked ten times a second.

    Raises WorkbenchError: the process ended without a result.
    """
    if dataset.bytes <= SMALL:
        selection = select(dataset, project.settings.data, progress, cancelled)
        return None if cancelled() else selection
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "selection")
        ended = child.run(
            __name__,
            [str(file)],
            lambda line: progress(float(line)),
            cancelled,
            given=pickle.dumps(project),
        )
        if ended.cancelled:
            return None
        if not file.is_file():
            what = ended.complaint or f"ended with {ended.code}"
            raise fault(f"counting the rows brought no result: {what}", project.folder)
        result = pickle.loads(file.read_bytes())
    if isinstance(result, WorkbenchError):
        raise result
    assert isinstance(result, Selection)
    return result


def main() -> None:
    """The process."""
    project = pickle.load(sys.stdin.buffer)

    def tell(share: float) -> None:
        sys.stdout.write(f"{share:.4f}\n")
        sys.stdout.flush()

    result: Selection | WorkbenchError
    try:
        dataset = open_dataset(project)
        result = select(dataset, project.settings.data, tell)
        dataset.close()
    except WorkbenchError as error:
        result = error
    file = Path(sys.argv[1])
    half = file.with_suffix(".half")
    half.write_bytes(pickle.dumps(result))
    half.rename(file)


if __name__ == "__main__":
    main()
