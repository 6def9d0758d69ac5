"""The settings of `[augmentation]`: a form over numbers and switches, a list of keywords and paraphrases."""

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import DescendantFocus, Resize
from textual.widgets import Input, Static

from workbench.data.augment.changes import TEXT
from workbench.data.augment.making import check
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.fields import form_fields, format_value, parse_value, validate_changes
from workbench.project.store import OpenProject
from workbench.ui.text import shown
from workbench.ui.widgets.confirm import Confirm
from workbench.ui.widgets.dialog import Dialog
from workbench.ui.widgets.form import Form
from workbench.ui.widgets.table import Column, VirtualTable

KEYWORDS, PARAPHRASES = "augmentation.keywords", "augmentation.paraphrases"
FIELDS = {field.key: field for field in form_fields("augmentation")}
LOW = 20
"""Lines of a screen on which only the part that keys go to has room."""
KEYS = "tab form or list   a add   enter edit   x remove   s save   esc leave"
TYPING = "enter takes it   esc leaves it as it was"


@dataclass(frozen=True)
class Entry:
    """A keyword with what may stand for it, or without `others` a paraphrase."""

    text: str
    others: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """The setting it belongs to."""
        return PARAPHRASES if self.others is None else KEYWORDS

    @property
    def line(self) -> str:
        """As it is typed."""
        return self.text if self.others is None else f"{self.text} = {format_value(list(self.others))}"


def read_entry(typed: str) -> Entry:
    """`laptop = notebook, PC` or `Please tell me: {text}`. Raises WorkbenchError when it is neither."""
    typed = typed.strip()
    if TEXT in typed:
        return Entry(typed)
    word, equals, others = typed.partition("=")
    listed = parse_value(FIELDS[PARAPHRASES], others) if equals else []
    if not word.strip() or not listed:
        raise fault(f"type `word = other, another`, or a text with {TEXT} in it")
    return Entry(word.strip(), tuple(listed))


class AugmentSettings(Dialog[dict[str, Any] | None]):
    """Answers the changes, dotted key to value; None when there are none or they are forgotten."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("a", "add", show=False),
        Binding("x", "remove", show=False),
        Binding("s", "save", show=False),
    ]

    def __init__(self, project: OpenProject) -> None:
        super().__init__()
        self.project = project
        settings = project.settings.augmentation
        self.entries = [Entry(word, tuple(others)) for word, others in settings.keywords.items()]
        self.entries += map(Entry, settings.paraphrases)
        self._before = list(self.entries)
        self._edited: Entry | None = None

    def compose(self) -> ComposeResult:
        """Form, list, the line that an entry is typed in."""
        with Vertical(id="augment-settings"):
            yield Static("How rows are made from rows", classes="heading")
            yield Form(
                [field for field in FIELDS.values() if field.kind in ("int", "bool")],
                check=self._check,
            )
            yield VirtualTable(
                [Column("", 11), Column("keywords and paraphrases", 1.0)], self._cells, id="entries"
            )
            yield Input(
                placeholder="word = other, another   or   Please tell me: {text}",
                select_on_focus=False,
                compact=True,
                id="entry",
            )
            yield Static(id="entry-note")
            yield Static(KEYS, classes="dialog-keys", id="entry-keys")

    def on_mount(self) -> None:
        """The saved values."""
        settings, form = self.project.settings.augmentation.model_dump(), self.query_one(Form)
        form.load({field.key: settings[field.name] for field in form.fields})
        self.query_one("#entry", Input).display = False
        self._list()
        form.focus()

    def _check(self, changes: dict[str, Any]) -> list[Problem]:
        return validate_changes(self.project, changes)

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from the saved settings; None for what is empty now."""
        changes = dict(self.query_one(Form).changes)
        for key in (KEYWORDS, PARAPHRASES):
            if (now := _value(key, self.entries)) != _value(key, self._before):
                changes[key] = now or None
        return changes

    # The list

    def _cells(self, number: int) -> list[str | Text]:
        entry = self.entries[number]
        sign = " " if entry in self._before else "*"
        return [f"{sign}{'paraphrase' if entry.others is None else 'keyword'}", entry.line]

    def _list(self) -> None:
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.entries))
        table.refresh_rows()
        self._note()

    @property
    def _entry(self) -> Entry | None:
        cursor = self.query_one(VirtualTable).cursor
        return self.entries[cursor] if cursor < len(self.entries) else None

    def _note(self, problem: str = "") -> None:
        """What is wrong, else the help of the selected entry's setting."""
        entry = self._entry
        help_text = FIELDS[entry.key].help if entry else "a adds a keyword or a paraphrase"
        text = shown(f"! {problem}", "bold") if problem else shown(help_text)
        self.query_one("#entry-note", Static).update(text)

    @on(VirtualTable.Highlighted)
    def _moved(self) -> None:
        self._note()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Which part keys go to: on a low screen it has the room."""
        self.set_class(event.widget.id in ("entries", "entry"), "-list")

    def on_resize(self, event: Resize) -> None:
        """Whether there is room for both parts."""
        self.set_class(event.size.height < LOW, "-low")

    def _type(self, entry: Entry | None) -> None:
        line = self.query_one("#entry", Input)
        self._edited = entry
        line.value = entry.line if entry else ""
        line.display = True
        line.focus()
        self.query_one("#entry-keys", Static).update(TYPING)

    def _stop_typing(self) -> None:
        self.query_one("#entry", Input).display = False
        self.query_one("#entry-keys", Static).update(KEYS)
        self.query_one(VirtualTable).focus()
        self._note()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        try:
            self._take(read_entry(event.value))
        except WorkbenchError as error:
            self._note(str(error))
        else:
            self._stop_typing()

    def _take(self, entry: Entry) -> None:
        """Put an entry in the place of the edited one, or behind the others."""
        others = [each for each in self.entries if each is not self._edited]
        if any((each.key, each.text) == (entry.key, entry.text) for each in others):
            raise fault("this one is there already: enter on its line edits it")
        at = self.entries.index(self._edited) if self._edited else len(self.entries)
        entries = [*others[:at], entry, *others[at:]]
        changes = {key: _value(key, entries) for key in (KEYWORDS, PARAPHRASES)}
        if problems := validate_changes(self.project, changes):
            raise WorkbenchError(*problems)
        settings = self.project.settings.augmentation
        check(settings.model_copy(update={FIELDS[key].name: value for key, value in changes.items()}))
        self.entries = entries
        self._list()
        self.query_one(VirtualTable).move_to(at)

    # Keys

    def action_add(self) -> None:
        """Type a new entry."""
        self._type(None)

    @on(VirtualTable.Selected)
    def _edit(self) -> None:
        self._type(self._entry)

    def action_remove(self) -> None:
        """Take the selected entry out."""
        if not self.query_one(VirtualTable).has_focus:
            self._note("tab goes to the list: x removes its selected line")
        elif entry := self._entry:
            self.entries = [each for each in self.entries if each is not entry]
            self._list()

    def action_save(self) -> None:
        """Answer the changes, when nothing is wrong with them."""
        if not self.changes:
            self._note("nothing is changed")
        elif problems := self._check(self.changes):
            self._note("; ".join(map(str, problems)))
        else:
            self.dismiss(self.changes)

    def action_leave(self) -> None:
        """What is typed first; then the screen, asking where changes would be lost."""
        if self.query_one("#entry", Input).has_focus:
            self._stop_typing()
        elif self.changes:
            question = f"Forget {len(self.changes)} changed setting{'s' * (len(self.changes) > 1)}?"
            self.app.push_screen(Confirm(question, "s saves them", loses=True), self._forget)
        else:
            self.dismiss(None)

    def _forget(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(None)


def _value(key: str, entries: list[Entry]) -> Any:
    """The entries of a setting as its value."""
    own = [entry for entry in entries if entry.key == key]
    if key == PARAPHRASES:
        return [entry.text for entry in own]
    return {entry.text: list(entry.others or ()) for entry in own}
