"""How the train pane starts a run: asked once, read and checked in a thread, trained in the background."""

from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import get_current_worker

from workbench.errors import WorkbenchError
from workbench.runs.folder import Run
from workbench.runs.status import RunStatus, State
from workbench.ui.feed import RunFeed
from workbench.ui.panes.base import Pane
from workbench.ui.text import counted
from workbench.ui.widgets.oom_card import OomCardView, plan_text

if TYPE_CHECKING:
    from workbench.data.files.rows import Progress
    from workbench.project.store import OpenProject
    from workbench.prompts.survey.survey import Survey


class StartPane(Pane):
    """A pane with a list of runs."""

    feed: RunFeed | None
    listed: list[tuple[Run, RunStatus]]
    _launching = False
    _checked: float | None = None
    """Share of the rows that was looked at before the start."""

    def _draw(self, answer: bool = False) -> None:
        raise NotImplementedError

    def choose(self, run: Run) -> None:
        """Bring a run under the cursor, as soon as it is listed."""
        raise NotImplementedError

    def why_not_start(self, name: str) -> str | None:
        """Why no run can be started by an action; None for other actions too."""
        status = self.feed.status if self.feed else None
        if name in ("start", "resume", "refit") and self._launching:
            return "a run is being started"
        if name == "resume":
            if status is None:
                return "there is no run yet"
            if status.going:
                return "this run is going on"
            if status.state is State.FINISHED:
                return "this run is finished"
            if status.state is State.IMPORTED:
                return "this run was imported: it has no checkpoint to go on from"
        if name == "refit":
            card = self.query_one(OomCardView).card
            if card is None:
                return "this run did not end for want of memory"
            if not card.plan:
                return "no setting is known that would save enough memory"
        return None

    def do_start(self) -> None:
        """Ask once, with what will run, then start."""
        from workbench.ui.widgets.confirm import Confirm

        settings = self.workspace.project.settings
        training = settings.training
        length = (
            counted(training.max_steps, "step")
            if training.max_steps
            else f"{training.num_train_epochs:g} epoch{'' if training.num_train_epochs == 1 else 's'}"
        )
        about = [
            f"{training.method} of {settings.model.base}, {length}, learning rate {training.learning_rate:g}"
        ]
        if any(status.going for _, status in self.listed):
            about.append("a run of this project is going on already: both get slower")
        if losses := self.workbench.losses():
            about.append(f"without {'; '.join(losses)}")

        def answered(yes: bool | None) -> None:
            if yes:
                self._launch(None)

        self.app.push_screen(Confirm("Start a run in the background?", "\n".join(about)), answered)

    def do_resume(self) -> None:
        """Go on with the chosen run."""
        assert self.feed is not None
        self._launch(self.feed.run)

    def do_refit(self) -> None:
        """The changed run of the card; asks."""
        from workbench.runs.forecast.oom import changed_project
        from workbench.ui.widgets.confirm import Confirm

        card = self.query_one(OomCardView).card
        assert card is not None

        def answered(yes: bool | None) -> None:
            if yes:
                self._launch(None, changed_project(card))

        self.app.push_screen(Confirm("Start this run anew, with less memory?", plan_text(card)), answered)

    @on(OomCardView.Read)
    def _card_read(self) -> None:
        self.workbench.refresh_keys()

    def _launch(self, resume: Run | None, project: "OpenProject | None" = None) -> None:
        self._launching = True
        self.workbench.refresh_keys()
        self.workbench.say("starting…")
        self._start(resume, project or self.workspace.project)

    @work(thread=True, group="launch", exit_on_error=False)
    def _start(self, resume: Run | None, project: "OpenProject") -> None:
        """Fingerprints read every data file: never in the event loop."""
        from workbench.prompts.survey.survey_process import run_survey
        from workbench.runs.launch import start

        worker = get_current_worker()

        def look(project: "OpenProject", progress: "Progress | None") -> "Survey":
            return run_survey(project, progress, lambda: worker.is_cancelled)

        def progress(done: float) -> None:
            self.app.call_from_thread(self._check_goes_on, done)

        try:
            run = start(project, resume=resume, progress=progress, look=look)
        except WorkbenchError as error:
            self.app.call_from_thread(self._refused, error)
        else:
            self.app.call_from_thread(self._started, run)
        finally:
            self._launching, self._checked = False, None

    def _check_goes_on(self, done: float) -> None:
        self._checked = done
        self._draw()

    def _refused(self, error: WorkbenchError) -> None:
        self._checked = None
        self._draw()
        self.workbench.tell(error)

    def _started(self, run: Run) -> None:
        self._checked = None
        self.choose(run)
        self.workbench.look_at_runs()
