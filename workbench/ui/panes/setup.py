"""The setup pane: the form over the project's settings, checked at every change, saved to project.toml."""

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import Problem, WorkbenchError
from workbench.project.base_model import locate
from workbench.project.fields import form_fields, own_settings, validate_changes
from workbench.project.preset import NONE, differing
from workbench.project.remarks import remarks, weight_bytes, with_changes
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import counted, shown
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.memory_bar import MemoryBar

if TYPE_CHECKING:
    from workbench.prompts.survey.survey import Survey
    from workbench.ui.workspace import Workspace

SECTIONS = ("model", "training", "data", "prompt", "launch", "evaluation", "evaluation.decoding")


class SetupPane(Pane):
    """Every setting with its help, default, unit, and marks for errors and changes."""

    PLACE = "setup"
    BINDINGS = bindings("setup")

    def compose(self) -> ComposeResult:
        """A line that sums up, the memory that a run would need, and the form."""
        yield Static(id="summary")
        yield MemoryBar(id="memory")
        yield Form(
            [field for section in SECTIONS for field in form_fields(section)],
            check=self._check,
            preset_key="training.preset",
            id="form",
        )

    def on_mount(self) -> None:
        """The form is filled when the pane comes into view."""
        self._filled_for: object = None
        self._survey: Survey | None = None
        self._weights: int | None = None
        self._counted = "counting rows"

    def came_into_view(self) -> None:
        """Take the project's values in, unless there are unsaved changes."""
        form = self.query_one(Form)
        form.focus()
        if self._filled_for is not self.workspace and not form.changes:
            self._fill()
        self._sum_up()

    def _fill(self) -> None:
        self._filled_for = self.workspace
        form, settings = self.query_one(Form), self.workspace.project.settings.model_dump()
        own = own_settings(self.workspace.project)
        form.load({field.key: _at(settings, field.key) for field in form.fields}, own)
        self._count(self.workspace)

    def _check(self, changes: dict[str, Any]) -> list[Problem]:
        return validate_changes(self.workspace.project, changes)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _count(self, workspace: "Workspace") -> None:
        """How many rows are really trained on decides how many steps an epoch has."""
        worker = get_current_worker()

        def show(survey: "Survey | None", counted: str) -> None:
            if not worker.is_cancelled:
                self._survey, self._counted = survey, counted
                self.app.call_from_thread(self._sum_up)

        show(None, "counting rows")
        project = workspace.project
        try:
            base = locate(project.settings.model.base, project.folder, weights=False)
            self._weights = weight_bytes(base.folder)
            survey = workspace.survey(
                lambda: worker.is_cancelled, lambda done: show(None, f"counting rows {done:.0%}")
            )
        except WorkbenchError as error:
            show(None, f"rows not counted: {error.problems[0]}")
        else:
            show(survey, "")

    @on(Form.Changed)
    def _changed(self) -> None:
        self._sum_up()
        self.workbench.refresh_keys()

    def _sum_up(self) -> None:
        """What the numbers come to: effective batch, steps an epoch, steps of the run; memory."""
        form = self.query_one(Form)
        # Figures of values that are refused would be nonsense, or a division by zero
        line = shown(f"! {form.problems[0]}", "bold") if form.problems else self._figures(form)
        if (preset := form.values["training.preset"]) != NONE:
            line.append(f"   {len(differing(filter(form.differs, form.values)))} differ from preset {preset}")
        if form.changes:
            line.append(f"   * {len(form.changes)} unsaved", style="bold")
        self.query_one("#summary", Static).update(line)
        if not form.problems:
            statistics = self._survey.statistics if self._survey else None
            settings = with_changes(self.workspace.project.settings, form.values)
            self.query_one(MemoryBar).consider(self.workspace.project, settings, statistics)

    def _figures(self, form: Form) -> Text:
        """What the form's settings come to, with the rows as they were saved."""
        from workbench.project.gpus import world_size
        from workbench.prompts.survey.checks.about_schedule import schedule

        saved = self.workspace.project.settings
        plain = saved.model_dump()
        # Not only what the person changed: what follows a preset changes with it
        settings = with_changes(
            saved, {key: value for key, value in form.values.items() if value != _at(plain, key)}
        )
        training = settings.training
        planned = schedule(self._survey.facts, settings) if self._survey else None
        found = remarks(settings, planned.steps if planned else None, self._weights)
        form.remark({remark.key: remark.text for remark in found})
        batch = training.per_device_train_batch_size * training.gradient_accumulation_steps
        batch *= world_size(settings.launch)
        line = Text.assemble("effective batch ", (f"{batch:,} examples", "bold"))
        if self._survey is None:
            return line.append_text(shown(f"   {self._counted}"))
        facts = self._survey.facts
        if planned is None:
            return line.append("   no row can be trained on", style="bold")
        about = "" if planned.exact else "about "
        per_epoch = planned.steps_per_epoch
        line.append(f"   {about}{planned.rows:,} training rows, {facts.rows['validation']:,} held out")
        line.append(
            f"   {counted(per_epoch, 'step')} an epoch, {planned.steps:,} in all"
            f" = {planned.epochs:,.3g} epochs"
        )
        if red := list(dict.fromkeys(finding.name for finding in self._survey.blocking)):
            line.append(f"   red: {', '.join(red)}", style="bold")
        if found:
            names = dict.fromkeys(remark.key.rpartition(".")[2] for remark in found)
            line.append(f"   ~ {counted(len(found), 'remark')}: {', '.join(names)}")
        return line

    # Actions

    @property
    def places(self) -> dict[str, str]:
        """The form has keys of its own."""
        return {"setup": "Setup", "form": "In the form"}

    def why_not(self, name: str) -> str | None:
        """Saving needs a change, and no error."""
        form = self.query_one(Form)
        if name in ("save", "revert") and not form.changes:
            return "nothing is changed"
        if name == "save" and form.problems:
            return "mend this first: " + "; ".join(map(str, form.problems))
        return None

    def would_lose(self) -> str | None:
        """Unsaved changes."""
        changes = len(self.query_one(Form).changes)
        return f"{counted(changes, 'unsaved change')} in the form" if changes else None

    def do_save(self) -> None:
        """Write project.toml; the user's comments stay."""
        form = self.query_one(Form)
        saved = save_settings(self.workspace.project, form.changes)
        self.workbench.project_changed(saved)
        self._fill()
        self._sum_up()
        self.workbench.refresh_keys()
        self.workbench.say(f"saved to {saved.file}")

    def do_revert(self) -> None:
        """Back to what project.toml says."""
        self.query_one(Form).revert()
        self.came_into_view()
        self.workbench.refresh_keys()


def _at(settings: dict[str, Any], key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = value[part]
    return value
