"""What an evaluation is made from: its project and its rows, opened when they are needed."""

from functools import cached_property

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.selection import Selection, select
from workbench.evaluation.folder import Evaluation
from workbench.evaluation.plan import Plan
from workbench.project.schema import FewShot
from workbench.project.store import OpenProject, open_project
from workbench.prompts.shots.few_shot import Deck
from workbench.prompts.shots.few_shot_store import open_deck


class Inputs:
    """The project of an evaluation, as it is now."""

    def __init__(self, evaluation: Evaluation, plan: Plan) -> None:
        self._evaluation = evaluation
        self._plan = plan
        self._opened: tuple[Dataset, Selection] | None = None

    @cached_property
    def project(self) -> OpenProject:
        """With what was laid over it when the evaluation began. Raises WorkbenchError: it is broken now."""
        folder = self._evaluation.folder.absolute().parents[1]
        return open_project(folder, self._plan.profile, self._plan.overrides)

    def opened(self) -> tuple[Dataset, Selection]:
        """The sources, and which of their rows stand where. Raises WorkbenchError: one cannot be read."""
        if self._opened is None:
            dataset = open_dataset(self.project)
            try:
                dataset.require_readable()
                self._opened = dataset, select(dataset, self.project.settings.data)
            except BaseException:
                dataset.close()
                raise
        return self._opened

    def deck(self, settings: FewShot) -> Deck:
        """Examples as `settings` draw them."""
        dataset, selection = self.opened()
        return open_deck(self.project, dataset, settings, selection)

    def close(self) -> None:
        """Let go of the files."""
        if self._opened:
            self._opened[0].close()
            self._opened = None
