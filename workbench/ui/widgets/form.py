"""A form over `FormField`s: rows are drawn line by line, one Input is mounted while a value is typed.

Forty fields as forty Inputs take 0.7 s to mount; this takes a few milliseconds.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Blur, Key
from textual.message import Message
from textual.widgets import Input, Static

from workbench.errors import Problem, WorkbenchError
from workbench.project.fields import FormField, Usual, format_value, parse_value, usual
from workbench.project.preset import NONE, preset
from workbench.ui.actions import bindings
from workbench.ui.text import clean, shown
from workbench.ui.widgets.form_rows import FormRows, RowState

MANY = 8
"""Choices above this number are not listed in the help of a field."""


class Form(Vertical):
    """Settings by section, with the help of the selected one below."""

    BINDINGS = bindings("form")

    @dataclass
    class Changed(Message):
        """A value changed, by typing, turning, undo or default."""

        form: "Form"
        key: str
        value: Any

        @property
        def control(self) -> "Form":
            """The form, for selectors of `on`."""
            return self.form

    def __init__(
        self,
        fields: Sequence[FormField],
        *,
        check: Callable[[dict[str, Any]], list[Problem]],
        preset_key: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`check(changes)` says what is wrong with the changed values laid over the saved ones.

        A problem belongs to the field whose key stands in it. The field `preset_key` chooses a preset: what
        nothing sets has its value there; without it the default.
        """
        super().__init__(id=id, classes=classes)
        self.fields = fields
        self.values: dict[str, Any] = {field.key: field.default for field in fields}
        self.problems: list[Problem] = []
        self.remarks: dict[str, str] = {}
        self._check = check
        self._preset = preset_key
        self._own: set[str] = set()
        self._saved, self._saved_own = dict(self.values), set(self._own)
        self._undo: list[tuple[str, Any, bool]] = []
        self._refused: tuple[str, str] | None = None
        self._rows = FormRows(fields, self._state)

    def compose(self) -> ComposeResult:
        """Rows and help."""
        yield self._rows
        yield Static(id="help-of-field")

    def on_mount(self) -> None:
        """The first field is selected."""
        self._draw()

    # Values

    def load(self, values: Mapping[str, Any], own: AbstractSet[str] | None = None) -> None:
        """Take these as the saved values, one for each field; forgets all changes.

        `own` are the keys that are set, whatever to; the others follow the preset. Without it: those that
        differ from what they would be otherwise.
        """
        self.values = dict(values)
        self._own = {key for key in values if self.differs(key)} if own is None else own & values.keys()
        self.mark_saved()

    @property
    def usual(self) -> Mapping[str, Usual]:
        """What each field is where nothing sets it, by the preset that is chosen now."""
        return usual(self.values.get(self._preset, NONE))

    def differs(self, key: str) -> bool:
        """Whether a value is another than if nothing set it; a preset has nothing to differ from."""
        return bool(key != self._preset and self.values[key] != self.usual[key].value)

    @property
    def changes(self) -> dict[str, Any]:
        """Key to value, for what is set otherwise than it was saved; None: set no more."""
        changed: dict[str, Any] = dict.fromkeys(self._saved_own - self._own)
        changed |= {
            key: self.values[key]
            for key in self._own
            if key not in self._saved_own or self.values[key] != self._saved[key]
        }
        return {key: changed[key] for key in self.values if key in changed}

    def mark_saved(self) -> None:
        """The values as they are now are the saved ones."""
        self._saved, self._saved_own = dict(self.values), set(self._own)
        self._undo.clear()
        self.problems = []
        self._draw()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Change several values, as if each were typed."""
        for key, value in values.items():
            self._set(key, value)

    def revert(self) -> None:
        """Back to the saved values."""
        self.load(self._saved, self._saved_own)

    def _set(self, key: str, value: Any, *, own: bool = True, remember: bool = True) -> None:
        """Set a value; one that the field has anyway is not written down, unless it was."""
        own = own and (key in self._saved_own or value != self.usual[key].value)
        before, was_own = self.values[key], key in self._own
        if (value, own) == (before, was_own):
            return
        if remember:
            self._undo.append((key, before, was_own))
        self.values[key] = value
        (self._own.add if own else self._own.discard)(key)
        if key == self._preset:
            self.values |= {other: self.usual[other].value for other in self.values if other not in self._own}
        self.problems = self._check(self.changes)
        self._draw()
        self.post_message(self.Changed(self, key, value))

    def remark(self, remarks: Mapping[str, str]) -> None:
        """Key to what is to be said of a value that is valid; in place of what was said before."""
        if self.remarks != remarks:
            self.remarks = dict(remarks)
            self._draw()

    # Drawing

    def focus(self, scroll_visible: bool = True) -> "Form":
        """Keys go to the rows."""
        self._rows.focus(scroll_visible)
        return self

    def _error(self, field: FormField) -> str:
        if self._refused and self._refused[0] == field.key:
            return self._refused[1]
        return next((str(problem) for problem in self.problems if _names(problem, field.key)), "")

    def _state(self, field: FormField) -> RowState:
        value = self.values[field.key]
        if self._error(field):
            sign = "!"
        else:
            sign = "*" if field.key in self.changes else "·" if self.differs(field.key) else " "
            if field.key in self.remarks and sign != "*":
                sign = "~"
        return RowState(clean(format_value(value)), sign)

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self._rows.refresh()
        field = self._rows.selected
        text = Text.assemble((field.key, "bold"), "  ")
        if error := self._error(field):
            text.append_text(shown(f"! {error}\n", "bold"))
        elif field.key in self.changes:
            out = "" if field.key in self._own else "taken out of project.toml, "
            text.append_text(shown(f"* {out}was {format_value(self._saved[field.key])}, not saved\n"))
        else:
            text.append(f"{_manual(field)}\n")
        if remark := self.remarks.get(field.key):
            text.append_text(shown(f"~ {remark}\n", "bold"))
        text.append_text(shown(f"{field.help}\n"))
        text.append_text(shown(self._usually(field)))
        self.query_one("#help-of-field", Static).update(text)

    def _usually(self, field: FormField) -> str:
        """What the field is where nothing sets it, by whom, and why; with the sign where it is another."""
        if field.key == self._preset and self.values[field.key] != NONE:
            return preset(self.values[field.key]).about
        usual = self.usual[field.key]
        value = format_value(usual.value)
        value += f" {field.unit_of(value)}" if field.unit else ""
        line = f"preset {usual.preset} has {value}" if usual.preset else f"default {value}"
        if usual.preset and self.differs(field.key):
            line = f"· {line}"
        return line + (f"   source: {usual.source}" if usual.source else "")

    @on(FormRows.Moved)
    def _moved(self, event: FormRows.Moved) -> None:
        event.stop()
        self._refused = None
        self._draw()

    # Keys

    async def action_do(self, name: str) -> None:
        """Carry out one of the registry's actions of place `form`."""
        if isawaitable(outcome := getattr(self, f"do_{name}")()):
            await outcome

    async def do_edit(self) -> None:
        """Type a value; choices and switches turn instead."""
        field = self._rows.selected
        if field.kind in ("choice", "bool"):
            self._turn(1)
            return
        self._refused = None
        region = self._rows.value_region()
        editor = _Editor(format_value(self.values[field.key]), field)
        editor.styles.offset = region.offset
        editor.styles.width = region.width
        await self.mount(editor)
        editor.focus()

    def do_previous_choice(self) -> None:
        """The choice before this one."""
        self._turn(-1)

    def do_next_choice(self) -> None:
        """The choice after this one."""
        self._turn(1)

    def _turn(self, by: int) -> None:
        field = self._rows.selected
        value = self.values[field.key]
        if field.kind == "bool":
            self._set(field.key, not value)
        elif field.kind == "choice":
            place = field.choices.index(value) if value in field.choices else -by
            self._set(field.key, field.choices[(place + by) % len(field.choices)])

    def do_undo(self) -> None:
        """Take the last change back."""
        if self._undo:
            key, value, own = self._undo.pop()
            self._rows.select(key)
            self._set(key, value, own=own, remember=False)

    def do_default(self) -> None:
        """The selected field set no more: back to the preset's value, or its default."""
        field = self._rows.selected
        self._set(field.key, self.usual[field.key].value, own=False)

    # Typing

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if isinstance(event.input, _Editor) and self._accept(event.input):
            await self._close(event.input)

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        event.stop()

    async def key_escape(self, event: Key) -> None:
        """Leave the value as it was; whatever else esc does around the form is left for the next one."""
        for editor in self.query(_Editor):
            event.stop()
            self._refused = None
            await self._close(editor)

    def _accept(self, editor: "_Editor") -> bool:
        try:
            value = parse_value(editor.field, editor.value)
        except WorkbenchError as error:
            self._refused = (editor.field.key, str(error))
            self._draw()
            return False
        self._refused = None
        self._set(editor.field.key, value)
        return True

    async def _close(self, editor: "_Editor") -> None:
        self._rows.focus()
        await editor.remove()
        self._draw()


class _Editor(Input):
    """The Input that floats over a value while it is typed; a value that is left half typed is dropped."""

    def __init__(self, value: str, field: FormField) -> None:
        super().__init__(value, compact=True, select_on_focus=True)
        self.field = field

    def on_blur(self, event: Blur) -> None:
        """Focus went elsewhere, by tab or mouse; going to another window loses nothing that was typed."""
        if self.app.app_focus:
            self.remove()


def _names(problem: Problem, key: str) -> bool:
    words = f"{problem.where} {problem.what}".replace(":", " ").replace(",", " ").split()
    return key in words


def _manual(field: FormField) -> str:
    if field.kind == "bool":
        return "enter switches"
    if field.kind == "choice":
        if len(field.choices) > MANY:
            return f"← → among {len(field.choices)}"
        return "← → among " + ", ".join(field.choices)
    return "enter edits"
