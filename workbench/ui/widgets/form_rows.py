"""The rows of a form, drawn line by line: section headings; sign, name, value and unit of each field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.project.fields import FormField

SIGN_CELLS = 3
VALUE_CELLS = 36
"""Of a value and its unit on a wide screen, where the help of each field stands beside it."""


@dataclass(frozen=True)
class RowState:
    """What a row shows: the value, and `!` wrong, `*` not saved, `~` with a remark, `·` not the default,
    or a blank."""

    value: str
    sign: str


class FormRows(ScrollView, can_focus=True, inherit_bindings=False):
    """The list part of a form; it knows which field is selected, not what values mean."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "form--heading",
        "form--selected",
        "form--error",
        "form--changed",
        "form--quiet",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "to(0)", show=False),
        Binding("end", "to(-1)", show=False),
    ]

    class Moved(Message):
        """Another field is selected."""

    def __init__(self, fields: Sequence[FormField], state: Callable[[FormField], RowState]) -> None:
        super().__init__()
        self._fields = fields
        self._state = state
        self._cursor = 0
        self._lines: list[str | FormField] = []
        for index, field in enumerate(fields):
            if index == 0 or field.heading != fields[index - 1].heading:
                self._lines.append(field.heading)
            self._lines.append(field)
        self._names = max(cell_len(_name(field)) for field in fields)

    def on_mount(self) -> None:
        """All lines are known from the start."""
        self.virtual_size = Size(0, len(self._lines))

    def on_resize(self) -> None:
        """The selected field stays in view."""
        self._bring_into_view()

    @property
    def selected(self) -> FormField:
        """The field that keys work on."""
        return self._fields[self._cursor]

    def select(self, key: str) -> None:
        """Select the field of this key."""
        self.action_to(next(index for index, field in enumerate(self._fields) if field.key == key))

    def value_region(self) -> Region:
        """Where the selected value stands in the rows' view."""
        names, values, _ = self._columns()
        return Region(SIGN_CELLS + names, self._line_of_cursor - self.scroll_offset.y, values, 1)

    @property
    def _line_of_cursor(self) -> int:
        return self._lines.index(self.selected)

    def _columns(self) -> tuple[int, int, int]:
        """Cells of the names, of the values with their units, and of the help where there is room for it."""
        room = self.scrollable_content_region.width - SIGN_CELLS
        names = min(self._names + 2, room * 6 // 10)
        values = room - names
        return (names, VALUE_CELLS, values - VALUE_CELLS) if values > 2 * VALUE_CELLS else (names, values, 0)

    def _bring_into_view(self) -> None:
        """With its heading, when it is the first of its section."""
        line, top, height = self._line_of_cursor, self.scroll_offset.y, self.scrollable_content_region.height
        first = line - 1 if isinstance(self._lines[line - 1], str) else line
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, immediate=True)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A heading, a field, or nothing."""
        line, base = self.scroll_offset.y + y, self.rich_style
        if line >= len(self._lines):
            return Strip.blank(self.size.width, base)
        entry = self._lines[line]
        if isinstance(entry, str):
            heading = self.get_component_rich_style("form--heading")
            return Strip([Segment(f" {entry}", heading)]).adjust_cell_length(self.size.width, base)
        return self._field_line(entry)

    def _field_line(self, field: FormField) -> Strip:
        state = self._state(field)
        selected = field == self.selected
        if selected and self.has_focus:
            style = quiet = self.get_component_rich_style("form--selected")
        else:
            style, quiet = self.rich_style, self.get_component_rich_style("form--quiet")
            if state.sign in ("!", "*"):
                style = self.get_component_rich_style("form--error" if state.sign == "!" else "form--changed")
        names, values, helps = self._columns()
        value = _cut(state.value, values)
        unit = _cut(f" {field.unit_of(state.value)}", values - cell_len(value)) if field.unit else ""
        segments = [
            Segment(f"{'>' if selected else ' '}{state.sign} ", style),
            Segment(set_cell_size(_name(field), names - 1) + " ", style),
            Segment(value, style),
            Segment(set_cell_size(unit, values - cell_len(value)), quiet),
            Segment(_cut(f" {field.help}", helps) if helps else "", quiet),
        ]
        return Strip(segments).adjust_cell_length(self.size.width, quiet if selected else self.rich_style)

    # Keys and mouse

    def action_to(self, index: int) -> None:
        """Select a field by its number; -1 is the last."""
        self._cursor = range(len(self._fields))[index]
        self._bring_into_view()
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Up or down."""
        self.action_to(max(0, min(self._cursor + by, len(self._fields) - 1)))

    def action_page(self, pages: int) -> None:
        """By what is in view."""
        self.action_move(pages * max(1, self.scrollable_content_region.height - 1))

    def on_click(self, event: events.Click) -> None:
        """Select the field that was clicked."""
        line = self.scroll_offset.y + event.y
        if line < len(self._lines) and not isinstance(entry := self._lines[line], str):
            self.select(entry.key)


def _name(field: FormField) -> str:
    return field.key.removeprefix(f"{field.section}.")


def _cut(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else set_cell_size(text, max(0, cells - 1)) + "…" * (cells > 0)
