"""The open project and what was read from it: read once, shared by the panes."""

from threading import Lock
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject

if TYPE_CHECKING:
    from workbench.data.dataset import Dataset
    from workbench.data.files.rows import Cancelled, Progress
    from workbench.data.selection import Selection
    from workbench.prompts.encoding.encode import Encoder
    from workbench.prompts.survey.survey import Survey


class Workspace:
    """One open project; what reads files is called from worker threads.

    Attributes:
        project: as it was last read or saved.
        row: the selected row, as (source, row), shared by the data and the prompt pane.
        opened: the rows, once their files have been opened.
        selected: what is used of the rows, once they have been counted.
        counted: the share of the rows that has been counted.
        surveyed: statistics and findings, once they are known.
        checked: the share of the survey that is done.
    """

    def __init__(self, project: OpenProject) -> None:
        self.project = project
        self.row = (0, 0)
        self.opened: Dataset | None = None
        self.selected: Selection | None = None
        self.counted = 0.0
        self.surveyed: Survey | None = None
        self.checked = 0.0
        self._lock = Lock()
        self._counting = Lock()
        self._surveying = Lock()
        self._encoder: Encoder | None = None

    def dataset(self) -> "Dataset":
        """The project's rows. Raises WorkbenchError."""
        from workbench.data.dataset import open_dataset

        with self._lock:
            if self.opened is None:
                self.opened = open_dataset(self.project)
            return self.opened

    def encoder(self) -> "Encoder":
        """The project's one encode path. Raises WorkbenchError."""
        from workbench.prompts.encoding.encode import make_encoder

        with self._lock:
            if self._encoder is None:
                self._encoder = make_encoder(self.project)
            return self._encoder

    def selection(self, cancelled: "Cancelled") -> "Selection | None":
        """What is used of the rows; None when it was cancelled. Raises WorkbenchError."""
        from workbench.data.selection_process import selected

        dataset = self.dataset()
        with self._counting:
            if self.selected is None and not cancelled():
                self.selected = selected(self.project, dataset, self._count, cancelled)
            return self.selected

    def _count(self, share: float) -> None:
        self.counted = share

    def kept_survey(self) -> "Survey | None":
        """Statistics and findings, if an earlier look at the same rows was kept. Raises WorkbenchError."""
        from workbench.prompts.survey.survey import survey_cached

        with self._surveying:
            self.surveyed = self.surveyed or survey_cached(self.project)
            return self.surveyed

    def survey(self, cancelled: "Cancelled", progress: "Progress | None" = None) -> "Survey | None":
        """Statistics and findings, made once by another process; None when cancelled.

        `progress` is told nothing when another thread has begun the survey: this one then waits for it.
        Raises WorkbenchError.
        """
        from workbench.prompts.survey.survey_process import run_survey

        def check(share: float) -> None:
            self.checked = share
            if progress:
                progress(share)

        with self._surveying:
            if self.surveyed is None and not cancelled():
                try:
                    self.surveyed = run_survey(self.project, check, cancelled)
                except WorkbenchError:
                    if not cancelled():
                        raise
            return self.surveyed
