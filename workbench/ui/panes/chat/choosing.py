"""Whom one talks to: a model for each column, other settings for one of them, a newer checkpoint."""

from collections.abc import Callable
from typing import Any

from textual import work
from textual.containers import Horizontal
from textual.worker import get_current_worker

from workbench.chat.presets import PRESETS
from workbench.chat.protocol import Target
from workbench.chat.targets import newest
from workbench.chat.targets import targets as offered_by
from workbench.errors import WorkbenchError, fault
from workbench.project.complaints import did_you_mean
from workbench.project.fields import FormField, format_value, parse_value, validate_changes
from workbench.ui.panes.chat.column import ColumnView
from workbench.ui.panes.chat.models import key_of
from workbench.ui.panes.chat.talk import TalkPane
from workbench.ui.widgets.form import Form

MOST = 4
"""Columns beside each other."""


class ChoosePane(TalkPane):
    """A pane with columns that come and go."""

    _last_column: int

    def find_targets(self) -> None:
        """The chosen weights as they are offered now: the project's template may be another by now."""
        offered = offered_by(self.workspace.project)
        for column in self.columns:
            found = next((each for each in offered if key_of(each) == key_of(column.target)), None)
            if found is None and column.target.kind == "newest":
                # The run has ended: its checkpoints stay
                found = next((each for each in offered if each.weights == column.target.weights), None)
            if found is None:
                self.workbench.say(f"{column.target.label} is no longer there", "warning")
            column.target = found or offered[0]

    def _pick(self, title: str, then: Callable[[Target], None], here: Target | None = None) -> None:
        from workbench.ui.widgets.pick import Pick

        offered = offered_by(self.workspace.project)
        keys = [key_of(target) for target in offered]
        at = keys.index(key_of(here)) if here is not None and key_of(here) in keys else 0

        def chosen(index: int | None) -> None:
            if index is not None:
                then(offered[index])

        self.app.push_screen(Pick(title, [target.label for target in offered], chosen=at), chosen)

    async def restore_columns(self, targets: dict[int, dict[str, Any]]) -> None:
        """Columns as they were, by number; one whose target is gone is with the base model."""
        offered = offered_by(self.workspace.project)
        made = []
        for number, was in list(targets.items())[:MOST]:
            same = (each for each in offered if (each.run, each.step) == (was.get("run"), was.get("step")))
            target = next(same, None)
            if target is None:
                self.workbench.say(f"{was.get('label')} is no longer there", "warning")
            made.append(ColumnView(number, target or offered[0]))
        old = self.columns
        await self.query_one("#columns", Horizontal).mount(*made)
        for column in old:  # after the new ones are there: keys always speak of some column
            await column.remove()
        self.current, self._last_column = 0, max(targets)
        self.draw()
        self.say_target("loads with the next message")

    # A newer checkpoint

    def look_for_newer(self) -> None:
        """Say when a run that is followed has written another checkpoint."""
        followed = [column.target for column in self.columns if column.target.kind == "newest"]
        if followed and self.in_view and not self.answering:
            self._look(followed)

    @work(thread=True, exclusive=True, exit_on_error=False, group="newer")
    def _look(self, followed: list[Target]) -> None:
        worker = get_current_worker()
        now = {key_of(target): newest(target) for target in followed}
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take_newer, now)

    def _take_newer(self, now: dict[str, Target]) -> None:
        said = set()
        for column in self.columns:
            target = now.get(column.key)
            if target is not None and not self.answering and target.weights != column.target.weights:
                column.target = target
                said.add(f"{target.run} has a newer checkpoint: step {target.step} answers from now on")
        for each in sorted(said):
            self.workbench.say(each)
        if said:
            self.draw_names()
            self.say_target("loads with the next message")

    # Actions

    def why_not_choose(self, name: str) -> str | None:
        """Columns stay while they answer; None for other actions too."""
        if name not in ("model", "add_column", "remove_column", "next_column", "column_settings"):
            return None
        count = len(self.columns)
        if name == "next_column":
            return "there is one column: a adds another" if count == 1 else None
        if self.answering:
            return "the answer is still being written: x stops it"
        if name == "add_column" and count == MOST:
            return f"{MOST} columns stand here already: d takes one away"
        if name == "remove_column" and count == 1:
            return "this is the only column"
        return None

    def do_model(self) -> None:
        """Choose whom the current column asks."""
        column = self.column

        def chosen(target: Target) -> None:
            column.target = target
            self.draw_names()
            self.draw_context()
            self.say_target("loads with the next message")

        self._pick("Talk to", chosen, column.target)

    def do_add_column(self) -> None:
        """One more model that answers each message."""

        def chosen(target: Target) -> None:
            self.call_later(self._add, target)

        self._pick("Beside it", chosen)

    async def _add(self, target: Target) -> None:
        same = any(key_of(target) == column.key for column in self.columns)
        self._last_column += 1
        column = ColumnView(self._last_column, target)
        await self.query_one("#columns", Horizontal).mount(column)
        self.current = len(self.columns) - 1
        self.draw()
        self.say_target("loads with the next message")
        self.focus_turns()
        if same:
            self.workbench.say("the same model twice: c gives a column other settings")

    async def do_remove_column(self) -> None:
        """Take the current column away; what it said stays in the transcript."""
        await self.column.remove()
        self.current = max(0, min(self.current, len(self.columns) - 1))
        self.draw()
        self.say_target()
        self.focus_turns()

    def do_next_column(self) -> None:
        """Keys go to the next column."""
        writing = not self.column.turns.has_focus
        self.current = (self.current + 1) % len(self.columns)
        self.draw_names()
        self.draw_context()
        self.say_target("answering, esc stops it" if self.answering else "")
        if not writing:
            self.focus_turns()
        self.workbench.refresh_keys()

    def do_column_settings(self) -> None:
        """Settings of the current column alone."""
        from workbench.ui.widgets.ask_text import AskText

        column = self.column
        own = " ".join(f"{key}={format_value(value)}" for key, value in column.own.items())
        names = ", ".join(preset.name for preset in PRESETS if " " not in preset.name)

        def entered(text: str | None) -> None:
            if text is None:
                return
            with self.telling():
                column.own = self._read_settings(text)
                self.draw_names()
                self.draw_column(column)

        about = f"NAME=VALUE with blanks between, or {names}; empty: as the others"
        self.app.push_screen(AskText(f"Only for {column.target.label}", about, own), entered)

    def _read_settings(self, text: str) -> dict[str, Any]:
        """`temperature=1 top_k=5`, or a preset. Raises WorkbenchError."""
        fields: dict[str, FormField] = {field.name: field for field in self.query_one(Form).fields}
        own: dict[str, Any] = {}
        for word in text.split():
            name, equals, value = word.partition("=")
            preset = next((each for each in PRESETS if each.name.casefold() == word.casefold()), None)
            if preset is not None:
                own |= preset.complete
            elif not equals or name not in fields:
                known = [*fields, *(each.name for each in PRESETS)]
                raise fault("no such setting", name, did_you_mean(name, known))
            else:
                own[name] = parse_value(fields[name], value)
        changes = {f"chat.{name}": value for name, value in own.items()}
        if problems := validate_changes(self.workspace.project, changes):
            raise WorkbenchError(*problems)
        form = self.query_one(Form).values
        return {name: value for name, value in own.items() if value != form[f"chat.{name}"]}
