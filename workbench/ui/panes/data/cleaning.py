"""Cleaning rules of a source: how many rows each touches, and what it does to them, before and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static
from textual.worker import get_current_worker

from workbench.data.cleaning import Cleaner, Step, label
from workbench.data.example import Example
from workbench.project.source import Cleaning
from workbench.project.store import save_settings
from workbench.ui.actions import bindings
from workbench.ui.panes.data.changes import step_text
from workbench.ui.panes.data.view import NO_SOURCE, DataView
from workbench.ui.text import counted, shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.cleaning.survey import Suggestion
    from workbench.ui.workspace import Workspace


@dataclass(frozen=True)
class Line:
    """A rule of the source, or with `offer` one that would touch rows of a sample."""

    rule: Cleaning
    touched: int | None
    of: int
    offer: bool


@dataclass(frozen=True)
class Touched:
    """A row that the rule of a line touches."""

    line: Line
    row: int
    step: Step


class CleaningView(DataView):
    """Rules and offered rules, beside what the selected one does to a row."""

    NAME = "cleaning"
    BINDINGS = bindings("data.cleaning")

    def compose(self) -> ComposeResult:
        """Which source, its rules, a row before and after."""
        yield Static(id="cleaning-notes")
        with Container(classes="split"):
            yield VirtualTable(
                [
                    Column("", 1),
                    Column("rule", 1.0),
                    Column("rows", 9, right=True),
                    Column("of", 9, right=True),
                ],
                self._cells,
                id="rules",
            )
            with VerticalScroll(classes="second", can_focus=False):
                yield Static(id="change")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.source = 0
        self.lines: list[Line] = []
        self.touched: Touched | None = None
        self._offers: dict[tuple[Workspace, int], list[Suggestion]] = {}
        self._searched: Line | None = None

    def came_into_view(self) -> None:
        """The source of the selected row; keys go to its rules."""
        self.query_one(VirtualTable).focus()
        if self.source != self.workspace.row[0]:
            self.fill()

    def fill(self) -> None:
        """Rules with the counts of the selection, then what else could be cleaned."""
        sources = self.workspace.project.settings.data.source
        self.source = min(self.workspace.row[0], max(0, len(sources) - 1))
        selected = self.workspace.selected
        report = selected.reports[self.source] if selected and selected.reports else None
        rules = sources[self.source].clean if sources else []
        self.lines = [
            Line(rule, report.cleaned[label(rule)] if report else None, report.read if report else 0, False)
            for rule in rules
        ]
        offers = self._offers.get((self.workspace, self.source))
        if offers is None and sources and report and not report.error:
            self._look(self.workspace, self.source)
        there = set(map(label, rules))
        self.lines += [
            Line(offer.rule, offer.touched, offer.sample, True)
            for offer in offers or []
            if offer.label not in there
        ]
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.lines))
        table.refresh_rows()
        self.tell("#cleaning-notes", self._notes(offers is None))
        if self._searched != self._line:
            self._search(1)

    def _notes(self, looking: bool) -> Text:
        sources = self.workspace.project.settings.data.source
        if not sources:
            return Text(NO_SOURCE)
        source = sources[self.source]
        text = Text(f"source {self.source + 1} of {len(sources)}  " if len(sources) > 1 else "")
        text.append_text(shown(source.name or source.path, "bold"))
        text.append(f"  {counted(len(source.clean), 'rule')}")
        text.append("; + offered, counted in a sample: enter adds, x removes")
        return text.append("  looking…" if looking else "")

    @work(thread=True, exclusive=True, group="offers", exit_on_error=False)
    def _look(self, workspace: "Workspace", source: int) -> None:
        """Which rules would have something to do."""
        from workbench.data.cleaning.survey import suggest

        worker = get_current_worker()
        offers = suggest(workspace.dataset(), source, cancelled=lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self._offers = {(workspace, source): offers}
            self.app.call_from_thread(self.fill)

    def _cells(self, number: int) -> list[str | Text]:
        line = self.lines[number]
        touched = "…" if line.touched is None else f"{line.touched:,}"
        style = "dim" if line.touched == 0 else ""
        return ["+" if line.offer else " ", shown(label(line.rule), style), touched, f"{line.of:,}"]

    @property
    def _line(self) -> Line | None:
        cursor = self.query_one(VirtualTable).cursor
        return self.lines[cursor] if cursor < len(self.lines) else None

    # A row that the selected rule touches

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._search(1)
        self.workbench.refresh_keys()

    def _search(self, by: int) -> None:
        """Look for the first row that the selected rule touches, or from the row that is shown on."""
        line = self._searched = self._line
        if line is None:
            self.touched = None
            self.query_one("#change", Static).update("")
            return
        here = self.touched.row if self.touched and self.touched.line == line else None
        self.query_one("#change", Static).update("looking for a row that it touches…")
        self._find(self.workspace, self.source, line, here, by)

    @work(thread=True, exclusive=True, group="touched", exit_on_error=False)
    def _find(self, workspace: "Workspace", source: int, line: Line, here: int | None, by: int) -> None:
        worker, dataset = get_current_worker(), workspace.dataset()
        found = None
        if dataset.sources[source].rows is not None:
            rules = workspace.project.settings.data.source[source].clean
            cleaner = Cleaner([line.rule] if line.offer else rules)
            for row in _around(len(dataset.sources[source].rows or ()), here, by):
                if worker.is_cancelled:
                    return
                example = dataset.example(source, row) if line.offer else dataset.mapped(source, row)
                steps = cleaner.steps(example) if isinstance(example, Example) else []
                if step := next((each for each in steps if each.rule == label(line.rule)), None):
                    found = Touched(line, row, step)
                    break
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, found)

    def _show(self, touched: Touched | None) -> None:
        self.touched = touched
        view = self.query_one("#change", Static)
        if touched is None:
            view.update("no row is touched by this rule")
        else:
            self.workspace.row = (self.source, touched.row)
            text = Text(f"row {touched.row:,}   n N other rows\n\n", "bold")
            step = touched.step
            view.update(
                text.append_text(step_text(step.before, step.after, self.colour("red"), self.colour("green")))
            )
        self.workbench.refresh_keys()

    # Actions

    def why_not(self, name: str) -> str | None:
        """Offered rules can be added, those of the source removed."""
        sources = self.workspace.project.settings.data.source
        if name in ("next_source", "previous_source"):
            return "this project has one source" if len(sources) < 2 else None
        line = self._line
        if line is None:
            return "there is no rule here"
        if name == "add_rule" and not line.offer:
            return "this rule stands in project.toml already"
        if name == "remove_rule" and line.offer:
            return "this rule is only offered: enter adds it"
        if name in ("next_touched", "previous_touched") and not self.touched:
            return "no row that this rule touches is known"
        return None

    def do_next_touched(self) -> None:
        """The next row that the rule touches, round again at the end."""
        self._search(1)

    def do_previous_touched(self) -> None:
        """The row before."""
        self._search(-1)

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("add_rule")

    def do_add_rule(self) -> None:
        """Write the offered rule behind the others."""
        assert self._line
        self._save([*self.workspace.project.settings.data.source[self.source].clean, self._line.rule])

    def do_remove_rule(self) -> None:
        """Take the rule out."""
        cursor = self.query_one(VirtualTable).cursor
        rules = self.workspace.project.settings.data.source[self.source].clean
        self._save([rule for number, rule in enumerate(rules) if number != cursor])

    def _save(self, rules: list[Cleaning]) -> None:
        plain = [
            rule if isinstance(rule, str) else rule.model_dump(by_alias=True, exclude_defaults=True)
            for rule in rules
        ]
        project = self.workspace.project
        self.pane.change_project(save_settings(project, {f"data.source.{self.source}.clean": plain or None}))
        self.fill()

    def do_next_source(self) -> None:
        """The rules of the next source."""
        self._step_source(1)

    def do_previous_source(self) -> None:
        """The rules of the source before."""
        self._step_source(-1)

    def _step_source(self, by: int) -> None:
        count = len(self.workspace.project.settings.data.source)
        self.workspace.row = ((self.source + by) % count, 0)
        self._searched = None
        self.query_one(VirtualTable).move_to(0)
        self.fill()


def _around(count: int, here: int | None, by: int) -> Iterator[int]:
    """All rows in one direction, each once, beginning beside `here`, which comes last."""
    start = (0 if by > 0 else count - 1) if here is None else here + by
    return ((start + by * step) % count for step in range(count))
