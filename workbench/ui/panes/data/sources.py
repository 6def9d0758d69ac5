"""What became of the rows of each source: read, left out and why, and how many are really trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from workbench.data.report import SourceReport
from workbench.ui.actions import bindings
from workbench.ui.panes.data.listings import of_rows
from workbench.ui.panes.data.pane import Listing
from workbench.ui.panes.data.view import NO_SOURCE, DataView
from workbench.ui.text import counted, shown
from workbench.ui.widgets.table import Column, VirtualTable

if TYPE_CHECKING:
    from workbench.data.selection import Selection

WIDE = 112
"""Cells from which every count has a column; with fewer, what is left out is one number."""
NUMBER = 9
KIND = 10
WIDE_NUMBERS = ["read", "kept", "filtered", "duplicate", "rejected", "not taken"]


@dataclass(frozen=True)
class Reason:
    """Why rows of a source are left out, or stand out."""

    sign: str
    word: str
    what: str
    count: int
    rows: Sequence[int]


class SourcesView(DataView):
    """A table of sources and totals, above the reasons of the selected source."""

    NAME = "sources"
    BINDINGS = bindings("data.sources")

    def compose(self) -> ComposeResult:
        """Lines in red, the sources, what the selected one says."""
        yield Static(id="lost")
        with Container(classes="split"):
            yield VirtualTable([], self._cells, id="sources-table")
            with Vertical(classes="second"):
                yield Static(id="source-counts")
                yield VirtualTable(
                    [Column("", 1), Column("rows", NUMBER, right=True), Column("", 10), Column("why", 1.0)],
                    self._reason_cells,
                    id="reasons",
                )

    def on_mount(self) -> None:
        """Nothing is counted yet."""
        self._wide = False
        self._shown: Selection | None = None
        self.reports: list[SourceReport] = []
        self.reasons: list[Reason] = []

    def on_resize(self) -> None:
        """How many columns there are depends on the table's width, which is known after the layout."""
        self.call_after_refresh(self._set_columns)

    def _set_columns(self) -> None:
        wide = self._wide = self.query_one("#sources-table").size.width >= WIDE
        numbers = WIDE_NUMBERS if wide else ["read", "left out"]
        table = self.query_one("#sources-table", VirtualTable)
        titles = [*numbers, "trained", "valid.", "test"]
        names = [Column("source", 1.0), *([Column("kind", KIND)] if wide else [])]
        table.set_columns([*names, *(Column(title, NUMBER, right=True) for title in titles)])

    def came_into_view(self) -> None:
        """Keys go to the sources."""
        table = self.query_one("#sources-table", VirtualTable)
        table.focus()
        if self.reports:
            table.move_to(self.workspace.row[0])

    def fill(self) -> None:
        """Counts come all at once."""
        selected = self.workspace.selected
        self.reports = selected.reports if selected else []
        self._set_columns()
        table = self.query_one("#sources-table", VirtualTable)
        table.set_row_count(len(self.reports) + (len(self.reports) > 1))
        if selected is not self._shown:
            self._shown = selected
            if self.reports:
                table.move_to(self.workspace.row[0])
        table.refresh_rows()
        lines = [self._lost(report) for report in self.reports if report.lost] + self._too_long()
        waiting = (
            "counting the rows of every source…" if self.workspace.project.settings.data.source else NO_SOURCE
        )
        self.tell("#lost", Text("\n").join(lines) if self.reports else waiting)
        self._show_source(table.cursor)

    def _lost(self, report: SourceReport) -> Text:
        red = self.colour("red")
        if report.error:
            return Text.assemble(("✗ CANNOT BE READ: ", red), shown(report.error, red))
        why = [f"{reason.count:,} × {reason.what}" for reason in _reasons(report)]
        line = Text.assemble(("✗ ", red), shown(report.name, red), (" LOST ALL ROWS: ", red))
        return line.append_text(shown(", ".join(why) or "not one is used", red))

    def _too_long(self) -> list[Text]:
        """What only the survey knows: rows that are used by these counts, and too long to be trained on."""
        surveyed = self.workspace.surveyed
        found = [each for each in surveyed.findings if each.name.endswith("too-long")] if surveyed else []
        return [shown(f"! beyond these counts {finding.what}", self.colour("yellow")) for finding in found]

    # The sources

    def _cells(self, line: int) -> list[str | Text]:
        if line == len(self.reports):
            sums = [Text(f"{number:,}", "bold") for number in self._totals()]
            return [Text("in all", "bold"), *([""] if self._wide else []), *sums]
        report = self.reports[line]
        red = self.colour("red") if report.lost else ""
        name = Text.assemble(("✗ " if report.lost else "", red), shown(report.name, red))
        if report.lost:
            name.append(" LOST" if not report.error else " NOT READ", style=red)
        kind = [self.workspace.project.settings.data.source[line].kind] if self._wide else []
        return [name, *kind, *(_number(value, str(red)) for value in self._numbers(report))]

    def _numbers(self, report: SourceReport) -> list[int]:
        rejected, filtered = (sum(map(len, each.values())) for each in (report.rejected, report.filtered))
        duplicate = len(report.duplicate)
        used = [report.train, report.validation, report.test]
        if self._wide:
            return [report.read, report.kept, filtered, duplicate, rejected, report.not_taken, *used]
        return [report.read, filtered + duplicate + rejected + report.not_taken, *used]

    def _totals(self) -> list[int]:
        return [sum(column) for column in zip(*map(self._numbers, self.reports), strict=True)]

    @on(VirtualTable.Highlighted, "#sources-table")
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_source(event.row)

    def _show_source(self, line: int) -> None:
        self.reasons = []
        text = Text()
        if line < len(self.reports):
            report = self.reports[line]
            self.reasons = _reasons(report)
            text = self._about(line, report)
        elif self.reports:
            text = Text("all sources together")
        table = self.query_one("#reasons", VirtualTable)
        table.set_row_count(len(self.reasons))
        table.move_to(0)
        table.refresh_rows()
        self.tell("#source-counts", text)

    def _about(self, line: int, report: SourceReport) -> Text:
        source = self.workspace.project.settings.data.source[line]
        text = Text.assemble(shown(report.name, "bold"), f"  kind {source.kind}   ", shown(source.path), "\n")
        text.append(f"{counted(report.read, 'row')} read, {report.kept:,} kept")
        if report.not_taken:
            text.append(f", {report.not_taken:,} not taken")
        text.append(f"\nreally trained on: {report.train:,}")
        if source.repeat > 1:
            text.append(f" = {report.train // source.repeat:,} rows × repeat {source.repeat}")
        return text.append(f"   validation {report.validation:,}   test {report.test:,}")

    def _reason_cells(self, line: int) -> list[str | Text]:
        reason = self.reasons[line]
        return [reason.sign, Text(f"{reason.count:,}"), reason.word, reason.what]

    # Actions

    def why_not(self, name: str) -> str | None:
        """Rows can be shown once they are counted."""
        if not self.reports:
            return "the rows are still being counted" if self.workspace.opened else NO_SOURCE
        reasons = self.query_one("#reasons", VirtualTable)
        source = self.query_one("#sources-table", VirtualTable).cursor
        if name == "open_rows" and not reasons.has_focus and source >= len(self.reports):
            return "this line sums all sources up"
        return None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_rows")

    async def do_open_rows(self) -> None:
        """The rows of the source, or those of the reason."""
        source = self.query_one("#sources-table", VirtualTable).cursor
        reasons = self.query_one("#reasons", VirtualTable)
        if reasons.has_focus and self.reasons:
            reason = self.reasons[reasons.cursor]
            offer = of_rows(f"{reason.sign} {reason.word}: {reason.what}", source, reason.rows)
            await self.pane.show_listing(Listing(offer.title, offer.rows(self.workspace.dataset())))
            return
        if self.workspace.row[0] != source:
            self.workspace.row = (source, 0)
        await self.pane.show("rows")


def _number(value: int, style: str) -> Text:
    return Text(f"{value:,}" if value else "·", style)


def _reasons(report: SourceReport) -> list[Reason]:
    found = [
        Reason(sign, word, what, len(rows), rows)
        for sign, word, reasons in (("✗", "rejected", report.rejected), ("–", "filtered", report.filtered))
        for what, rows in reasons.items()
    ]
    if len(report.duplicate):
        rows = report.duplicate
        found.append(Reason("=", "duplicate", "an earlier row says the same", len(rows), rows))
    return sorted(found, key=lambda reason: -reason.count)
