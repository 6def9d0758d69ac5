"""How often each value of each tag occurs in training, validation and test."""

from collections import Counter
from dataclasses import dataclass, replace

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Static

from workbench.data.selection import SIDES, Side
from workbench.prompts.survey.statistics import Statistics
from workbench.ui.actions import bindings
from workbench.ui.panes.data.listings import Offer, with_tag
from workbench.ui.panes.data.pane import Listing
from workbench.ui.panes.data.view import NO_SOURCE, DataView
from workbench.ui.text import shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.table import Column, VirtualTable

FEW = 0.2
"""A value with less than this share of what an even split would give it is called rare: with two values one
below a tenth of the rows."""
TITLES = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Line:
    """One line: a tag, or with `value` one of its values. `counts` and `totals` are by side.

    `script`: what the rows are written in, which the survey tells; its rows cannot be listed.
    """

    tag: str
    value: str | None
    counts: dict[Side, int]
    totals: dict[Side, int]
    script: bool = False


class BalanceView(DataView):
    """A heading for each tag, a line with bars for each of its values."""

    NAME = "balance"
    BINDINGS = bindings("data.balance")

    def compose(self) -> ComposeResult:
        """Warnings, and the bars."""
        yield Static(id="balance-notes")
        yield VirtualTable(
            [Column("tag", 0.25), *(Column(TITLES[side], 0.25) for side in SIDES)], self._cells, id="balances"
        )

    def on_mount(self) -> None:
        """Nothing is counted yet."""
        self.lines: list[Line] = []

    def on_resize(self) -> None:
        """Bars are as long as there is room."""
        self.query_one(VirtualTable).refresh_rows()

    def came_into_view(self) -> None:
        """Keys go to the bars."""
        self.query_one(VirtualTable).focus()

    def fill(self) -> None:
        """Tags are counted with the rows."""
        selected, surveyed = self.workspace.selected, self.workspace.surveyed
        self.lines = _lines(selected.tags) if selected else []
        if surveyed:
            self.lines += _script_lines(surveyed.statistics)
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.lines))
        table.refresh_rows()
        if not self.workspace.project.settings.data.source:
            self.tell("#balance-notes", NO_SOURCE)
        elif not selected:
            self.tell("#balance-notes", "counting…")
        elif not selected.tags and (errors := [each.error for each in selected.reports if each.error]):
            said = "\n".join(f"✗ {error}" for error in errors)
            self.tell("#balance-notes", shown(said, self.colour("red")))
        elif not selected.tags:
            how = 'write one as tags = { topic = "{topic}" } in its [[data.source]]'
            self.tell("#balance-notes", f"no source has tags: {how}")
        else:
            self.tell("#balance-notes", self._warnings())

    def _warnings(self) -> Text:
        lines = []
        for line in self.lines:
            if line.value is None:
                values = sum(1 for each in self.lines if each.tag == line.tag and each.value is not None)
                continue
            total, count = line.totals["train"], line.counts["train"]
            if line.value and not line.script and total and count < FEW * total / values:
                share = f"{count / total:.1%}" if count else "none"
                what = f"! rare: {line.tag} = {line.value} has {share} of the training rows"
                lines.append(shown(what, self.colour("yellow")))
        return Text("\n").join(lines[:4] + ([Text(f"and {len(lines) - 4} more")] if len(lines) > 4 else []))

    def _cells(self, number: int) -> list[str | Text]:
        line = self.lines[number]
        if line.value is None:
            sums = (f"{line.totals[side]:,} rows" if line.totals[side] else "" for side in SIDES)
            return [shown(line.tag, "bold"), *(Text(each, "bold") for each in sums)]
        room = self.query_one(VirtualTable).size.width // 4 - 2
        return [f"  {line.value or '(none)'}", *(self._bar(line, side, room) for side in SIDES)]

    def _bar(self, line: Line, side: Side, room: int) -> Text:
        count, total = line.counts[side], line.totals[side]
        if not total:
            return Text()
        figures = f"{count:,} {count / total:.0%}".rjust(12)
        return Text(f"{figures} {bar(count / total, max(0, room - 13))}")

    # Actions

    def why_not(self, name: str) -> str | None:
        """A value has to be selected."""
        if not self.lines:
            return "there are no tags"
        line = self.lines[self.query_one(VirtualTable).cursor]
        if name == "open_rows" and line.value is None:
            return "this line names the tag: go to one of its values"
        if name == "open_rows" and line.script:
            return "scripts are only counted: which rows they are is not kept"
        return None

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self.workbench.refresh_keys()

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_rows")

    def do_open_rows(self) -> None:
        """The rows with this value."""
        line, selected = self.lines[self.query_one(VirtualTable).cursor], self.workspace.selected
        assert line.value is not None and selected
        self._gather(with_tag(line.tag, line.value, selected))

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _gather(self, offer: Offer) -> None:
        rows = offer.rows(self.workspace.dataset())
        self.app.call_from_thread(self.pane.call_later, self.pane.show_listing, Listing(offer.title, rows))


def _script_lines(statistics: Statistics) -> list[Line]:
    """What the rows of each side are mostly written in."""
    scripts = {
        side: Counter(statistics.sides[side].scripts) if side in statistics.sides else Counter[str]()
        for side in SIDES
    }
    lines = _lines({"script": scripts})
    return [replace(line, script=True) for line in lines] if len(lines) > 1 else []


def _lines(tags: dict[str, dict[Side, Counter[str]]]) -> list[Line]:
    """The values of each tag, the most frequent first."""
    lines = []
    for tag, sides in tags.items():
        totals = {side: sides[side].total() for side in SIDES}
        lines.append(Line(tag, None, totals, totals))
        everywhere = sum((sides[side] for side in SIDES), Counter[str]())
        for value, _ in everywhere.most_common():
            lines.append(Line(tag, value, {side: sides[side][value] for side in SIDES}, totals))
    return lines
