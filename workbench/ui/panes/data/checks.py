"""What would go wrong in a run, the gravest first; each finding opens the rows it speaks of."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from workbench.project.store import save_settings
from workbench.prompts.survey.findings import Finding
from workbench.ui.actions import bindings
from workbench.ui.panes.data.pane import Listing
from workbench.ui.panes.data.view import DataView
from workbench.ui.text import counted, shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.table import Column, VirtualTable

BAR = 30
WORDS = {"red": "✗ RED", "yellow": "! yellow", "note": "· note"}
COLOURS = {"red": "red", "yellow": "yellow"}


class ChecksView(DataView):
    """A line for each finding, above what it means and what to do."""

    NAME = "checks"
    NEEDS_SURVEY = True
    BINDINGS = bindings("data.checks")

    def compose(self) -> ComposeResult:
        """The verdict, the findings, the selected one in full."""
        yield Static(id="verdict")
        with Container(classes="split"):
            yield VirtualTable(
                [Column("", 8), Column("name", 18), Column("rows", 9, right=True), Column("what", 1.0)],
                self._cells,
                id="findings",
            )
            with VerticalScroll(classes="second", can_focus=False):
                yield Static(id="finding")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.findings: list[Finding] = []

    def came_into_view(self) -> None:
        """Keys go to the findings."""
        self.query_one(VirtualTable).focus()

    def fill(self) -> None:
        """Findings, or how far the survey is."""
        surveyed = self.workspace.surveyed
        self.findings = surveyed.findings if surveyed else []
        table = self.query_one(VirtualTable)
        table.set_row_count(len(self.findings))
        table.refresh_rows()
        self.tell("#verdict", self._verdict())
        self._show(table.cursor)

    def _verdict(self) -> Text:
        if error := self.pane.survey_error:
            return shown(f"✗ {error}", self.colour("red"))
        if not (surveyed := self.workspace.surveyed):
            done = self.workspace.checked
            return Text(f"checking every row  {bar(done, BAR)} {done:.0%}")
        accepted = sum(finding.accepted for finding in self.findings)
        if blocking := surveyed.blocking:
            names = ", ".join(dict.fromkeys(finding.name for finding in blocking))
            what = f"✗ a run does not start: {names}; mend it, or x accepts the selected one"
            return shown(what, self.colour("red"))
        line = Text("✓ nothing keeps a run from starting", self.colour("green"))
        return line.append(f", {counted(accepted, 'red finding')} accepted" if accepted else "")

    def _cells(self, line: int) -> list[str | Text]:
        finding = self.findings[line]
        style = self.colour(COLOURS[finding.level]) if finding.level in COLOURS else ""
        word = "accepted" if finding.accepted else WORDS[finding.level]
        rows = f"{finding.count:,}" if finding.count else "·"
        return [Text(word, style), Text(finding.name, "bold"), rows, finding.what]

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show(event.row)
        self.workbench.refresh_keys()

    def _show(self, line: int) -> None:
        text = Text()
        if line < len(self.findings):
            finding = self.findings[line]
            text = Text.assemble(f"{WORDS[finding.level]}  ", (finding.name, "bold"), "\n\n")
            text.append_text(shown(f"{finding.what}\n\n"))
            if finding.hint:
                text.append_text(shown(f"→ {finding.hint}\n\n"))
            if finding.rows:
                text.append(f"enter shows {_how_many(finding)}\n")
            if finding.accepted:
                text.append("accepted: it does not keep a run from starting; x takes that back")
        self.query_one("#finding", Static).update(text)

    # Actions

    def why_not(self, name: str) -> str | None:
        """Only red findings can be accepted, and only some speak of rows."""
        if not self.findings:
            return self.pane.survey_error or "the rows are still being checked"
        finding = self.findings[self.query_one(VirtualTable).cursor]
        if name == "accept" and finding.level != "red":
            return "only a red finding keeps a run from starting: there is nothing to accept"
        if name == "open_rows" and not finding.rows:
            return "this finding speaks of no single row"
        return None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_rows")

    async def do_open_rows(self) -> None:
        """The rows of the finding in the rows view."""
        finding = self.findings[self.query_one(VirtualTable).cursor]
        whole = len(finding.rows) >= finding.count
        title = finding.name if whole else f"{finding.name}, the first of {finding.count:,}"
        await self.pane.show_listing(Listing(title, finding.rows))

    def do_accept(self) -> None:
        """Ask, then write or take out the name in `data.accept`."""
        from workbench.ui.widgets.confirm import Confirm

        finding = self.findings[self.query_one(VirtualTable).cursor]
        accept = [name for name in self.workspace.project.settings.data.accept if name != finding.name]
        if finding.accepted:
            self._save(accept)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._save([*accept, finding.name])

        consequence = f"{finding.what}. A run starts in spite of it; data.accept in project.toml says so."
        self.app.push_screen(Confirm(f"Accept {finding.name}?", consequence, loses=True), answered)

    def _save(self, accept: list[str]) -> None:
        with self.telling():
            self.pane.change_project(save_settings(self.workspace.project, {"data.accept": accept}))


def _how_many(finding: Finding) -> str:
    shown_rows = len(finding.rows)
    whole = shown_rows >= finding.count
    return counted(shown_rows, "row") if whole else f"the first {shown_rows:,} of {finding.count:,} rows"
