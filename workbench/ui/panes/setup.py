"""The setup pane: the form over the project's settings, checked at every change, saved to project.toml."""

from math import ceil
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.errors import Problem
from workbench.project.fields import form_fields, validate_changes
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.base import Pane
from workbench.ui.text import shown
from workbench.ui.widgets.form import Form

if TYPE_CHECKING:
    from workbench.ui.workspace import Workspace

SECTIONS = ("model", "training", "data", "prompt")


class SetupPane(Pane):
    """Every setting with its help, default, unit, and marks for errors and changes."""

    PLACE = "setup"
    BINDINGS = bindings("setup")

    def compose(self) -> ComposeResult:
        """A line that sums up, and the form."""
        yield Static(id="summary")
        yield Form(
            [field for section in SECTIONS for field in form_fields(section)], check=self._check, id="form"
        )

    def on_mount(self) -> None:
        """The form is filled when the pane comes into view."""
        self._filled_for: object = None
        self._kept: int | None = None

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
        form.load({field.key: _at(settings, field.key) for field in form.fields})
        self._count(self.workspace)

    def _check(self, changes: dict[str, Any]) -> list[Problem]:
        return validate_changes(self.workspace.project, changes)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _count(self, workspace: "Workspace") -> None:
        """How many rows are kept decides how many steps an epoch has."""
        worker = get_current_worker()
        reports = workspace.dataset().report(cancelled=lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self._kept = sum(report.kept for report in reports)
            self.app.call_from_thread(self._sum_up)

    @on(Form.Changed)
    def _changed(self) -> None:
        self._sum_up()
        self.workbench.refresh_keys()

    def _sum_up(self) -> None:
        """What the numbers come to: effective batch, steps an epoch, steps of the run."""
        form = self.query_one(Form)
        # Figures of values that are refused would be nonsense, or a division by zero
        line = shown(f"! {form.problems[0]}", "bold") if form.problems else self._figures(form.values)
        if form.changes:
            line.append(f"   * {len(form.changes)} unsaved", style="bold")
        self.query_one("#summary", Static).update(line)

    def _figures(self, values: dict[str, Any]) -> Text:
        """Steps as transformers' Trainer counts them; rows that turn out too long are not known yet."""
        from workbench.data.split import held_out_rows

        micro, accumulated = (
            values[f"training.{name}"]
            for name in ("per_device_train_batch_size", "gradient_accumulation_steps")
        )
        line = Text.assemble("effective batch ", (f"{micro * accumulated:,} examples", "bold"))
        if not self._kept:
            return line
        held_out = held_out_rows(self._kept, values["data.validation"])
        train = self._kept - held_out
        line.append(f"   {train:,} training rows, {held_out:,} held out")
        if values["training.packing"] == "bfd":
            return line.append("   steps depend on how the rows pack")
        steps_per_epoch = ceil(ceil(train / micro) / accumulated)
        steps = values["training.max_steps"] or ceil(steps_per_epoch * values["training.num_train_epochs"])
        line.append(
            f"   {steps_per_epoch:,} step{'s' if steps_per_epoch > 1 else ''} an epoch, {steps:,} in all"
            f" = {steps / steps_per_epoch:,.3g} epochs"
        )
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
        return f"{changes} unsaved change{'s' if changes > 1 else ''} in the form" if changes else None

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
    section, name = key.split(".", 1)
    return settings[section][name]
