"""The open project and what was read from it: read once, shared by the panes."""

from threading import Lock
from typing import TYPE_CHECKING

from workbench.project.store import OpenProject

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset
    from workbench.prompts.encode import Encoder


class Workspace:
    """One open project; `dataset()` and `encoder()` read files and are called from worker threads.

    Attributes:
        project: as it was last read or saved.
        row: the selected row, as (source, row), shared by the data and the prompt pane.
    """

    def __init__(self, project: OpenProject) -> None:
        self.project = project
        self.row = (0, 0)
        self._lock = Lock()
        self._dataset: Dataset | None = None
        self._encoder: Encoder | None = None

    def dataset(self) -> "Dataset":
        """The project's rows. Raises WorkbenchError."""
        from workbench.data.dataset import open_dataset

        with self._lock:
            if self._dataset is None:
                self._dataset = open_dataset(self.project)
            return self._dataset

    def encoder(self) -> "Encoder":
        """The project's one encode path. Raises WorkbenchError."""
        from workbench.prompts.encode import make_encoder

        with self._lock:
            if self._encoder is None:
                self._encoder = make_encoder(self.project)
            return self._encoder
