"""The sampling settings beside the conversation: changed values are marked, presets set many at once."""

from typing import Any

from workbench.chat.presets import PRESETS
from workbench.errors import Problem
from workbench.project.fields import format_value, validate_changes
from workbench.project.store import save_settings
from workbench.ui.panes.chat.prompting import PromptingPane
from workbench.ui.widgets.form import Form


class SamplingPane(PromptingPane):
    """A pane with the form of `[chat]`."""

    _opened_for: object

    def take_settings(self) -> None:
        """The project's settings into the form."""
        self._opened_for = self.workspace.project
        chat = self.workspace.project.settings.chat.model_dump()
        self.query_one(Form).load({f"chat.{name}": value for name, value in chat.items()})

    def check(self, changes: dict[str, Any]) -> list[Problem]:
        """What is wrong with changed settings."""
        return validate_changes(self.workspace.project, changes)

    # Actions

    def why_not_sample(self, name: str) -> str | None:
        """A value that is wrong is mended first; None for other actions too."""
        form = self.query_one(Form)
        if name == "settings" and form.display and form.problems:
            return "mend this first: " + "; ".join(map(str, form.problems))
        return None

    def do_settings(self) -> None:
        """Show the sampling settings, or save and hide them."""
        form = self.query_one(Form)
        if form.display and form.changes:
            self.workbench.project_changed(save_settings(self.workspace.project, form.changes))
            self.take_settings()
            self.workbench.say("sampling settings saved to project.toml")
        form.display = not form.display
        if form.display:
            form.focus()
        else:
            self.focus_turns()
        self.call_after_refresh(self.lay_out)
        self.draw_context()
        if not self.answering:
            self.say_target()

    def do_preset(self) -> None:
        """Set what belongs together; s saves it."""
        from workbench.ui.widgets.pick import Pick

        def chosen(index: int | None) -> None:
            if index is None:
                return
            form, preset = self.query_one(Form), PRESETS[index]
            form.set_values({f"chat.{name}": value for name, value in preset.complete.items()})
            form.display = True
            form.focus()
            self.call_after_refresh(self.lay_out)
            self.say_target()

        labels = [
            f"{each.name}: "
            + ", ".join(f"{name} {format_value(value)}" for name, value in each.values.items())
            + f"; {each.about}"
            for each in PRESETS
        ]
        self.app.push_screen(Pick("Sampling settings", labels), chosen)
