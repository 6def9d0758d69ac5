"""How long the rows are in tokens, how much of them is trained, and what padding would cost."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from workbench.prompts.survey.statistics import PERCENTILES, Lengths, SideStatistics, Statistics, padding
from workbench.ui.actions import bindings
from workbench.ui.panes.data.view import DataView
from workbench.ui.text import shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.table import Column, VirtualTable

PROGRESS_BAR = 40
LABEL = 15
COUNT = 9
BESIDE = 100
"""Cells from which the histograms of prompt and completion stand beside each other."""
PACKING = {
    "none": "none: random batches, padded to their longest",
    "batch": "batch: laid end to end, no padding",
    "bfd": "bfd: rows of max_tokens filled best fit decreasing",
}


class StatisticsView(DataView):
    """Figures and histograms of one side of the split, beside its longest rows."""

    NAME = "statistics"
    NEEDS_SURVEY = True
    BINDINGS = bindings("data.statistics")

    def compose(self) -> ComposeResult:
        """Which side, its figures, its longest rows."""
        yield Static(id="side")
        with Container(classes="split"):
            with VerticalScroll(id="figures-of-side"):
                yield Static(id="figures")
            yield VirtualTable(
                [Column("longest rows", 1.0), Column("row", 9, right=True), Column("tokens", 9, right=True)],
                self._cells,
                id="longest",
                classes="second",
            )

    def on_mount(self) -> None:
        """Training rows first."""
        self.side = "train"
        self._shown: tuple[object, str, int] = (None, "", 0)
        self._wasted: tuple[Statistics | None, dict[str, float]] = (None, {})

    def on_resize(self) -> None:
        """Bars are as long as there is room."""
        self._shown = (None, "", 0)
        self.fill()

    def came_into_view(self) -> None:
        """Keys go to the longest rows."""
        self.query_one(VirtualTable).focus()

    @property
    def _statistics(self) -> Statistics | None:
        return self.workspace.surveyed.statistics if self.workspace.surveyed else None

    @property
    def _figures_of_side(self) -> SideStatistics | None:
        return self._statistics.sides.get(self.side) if self._statistics else None

    def fill(self) -> None:
        """Figures, or how far the survey is."""
        statistics, width = self._statistics, self.query_one("#figures-of-side").size.width - 4
        if statistics and self.side not in statistics.sides:
            self.side = next(iter(statistics.sides), "train")
        self.tell("#side", self._heading())
        figures = self._figures_of_side
        table = self.query_one(VirtualTable)
        table.set_row_count(len(figures.longest) if figures else 0)
        table.refresh_rows()
        if figures and self._shown != (figures, self.side, width):
            self._shown = (figures, self.side, width)
            self.query_one("#figures", Static).update(self._text(figures, max(30, width)))
        elif not figures:
            self.query_one("#figures", Static).update("")

    def _heading(self) -> Text:
        if error := self.pane.survey_error:
            return shown(f"✗ {error}", self.colour("red"))
        if not (statistics := self._statistics):
            done = self.workspace.checked
            return Text(f"measuring every row  {bar(done, PROGRESS_BAR)} {done:.0%}")
        line = Text()
        for side, figures in statistics.sides.items():
            text = f"{side} {figures.rows:,} rows"
            line.append(f"[{text}]" if side == self.side else f" {text} ", "bold" * (side == self.side))
        if not (figures_here := self._figures_of_side):
            return line.append("no rows are used: h, the checks, say why")
        if statistics.exact:
            return line.append("   exact: every row was encoded")
        return line.append(f"   sampled: {figures_here.encoded:,} rows were encoded")

    def _text(self, figures: SideStatistics, width: int) -> Text:
        text = Text(no_wrap=True)
        shares = "".join(f"{f'{p}%':>7}" for p in PERCENTILES)
        text.append(f"{'tokens':<12}{'mean':>8}{shares}{'longest':>9}\n", "bold")
        for name, lengths in (
            ("prompt", figures.prompt),
            ("completion", figures.completion),
            ("together", figures.total),
        ):
            at = "".join(f"{lengths.percentiles.get(p, 0):>7,}" for p in PERCENTILES)
            text.append(f"{name:<12}{lengths.mean:>8,.1f}{at}{lengths.longest:>9,}\n")
        trained = figures.supervised
        text.append(f"\ntrained {trained:6.1%} {bar(trained, 20)}  only read {1 - trained:.1%}\n")
        text.append_text(self._padding())
        text.append_text(_histograms(figures, width))
        if figures.scripts:
            text.append("\nscript of the rows\n", "bold")
            for script, rows in figures.scripts.items():
                share = rows / max(1, figures.rows)
                text.append_text(shown(f"{script[:LABEL]:<{LABEL}}"))
                text.append(
                    f"{rows:>{COUNT},} {share:>4.0%} {bar(share, max(5, width - LABEL - COUNT - 7))}\n"
                )
        return text

    def _padding(self) -> Text:
        """Of training rows; in a tenth of a second for twenty thousand lengths."""
        statistics, settings = self._statistics, self.workspace.project.settings
        text = Text()
        if self.side != "train" or not statistics or not statistics.train_lengths:
            return text
        if self._wasted[0] is not statistics:
            micro = settings.training.per_device_train_batch_size
            wasted = padding(
                statistics.train_lengths, micro, settings.data.max_tokens, settings.training.seed
            )
            self._wasted = (statistics, {str(way): share for way, share in wasted.items()})
        text.append("\npadding, share of positions without a token\n", "bold")
        for way, share in self._wasted[1].items():
            sign = ">" if way == settings.training.packing else " "
            text.append(f"{sign} {share:6.1%} {bar(share, 10)} {PACKING[way]}\n")
        return text

    def _cells(self, line: int) -> list[str | Text]:
        assert self._figures_of_side and self.workspace.surveyed
        source, row, tokens = self._figures_of_side.longest[line]
        return [self.workspace.surveyed.reports[source].name, f"{row:,}", f"{tokens:,}"]

    # Actions

    def why_not(self, name: str) -> str | None:
        """There have to be figures."""
        if not self._statistics:
            return self.pane.survey_error or "the rows are still being measured"
        if name == "open_row" and not self.query_one(VirtualTable).row_count:
            return "there is no row"
        if name in ("next_side", "previous_side") and len(self._statistics.sides) < 2:
            return "all rows are on one side of the split"
        return None

    @on(VirtualTable.Selected)
    async def _selected(self, event: VirtualTable.Selected) -> None:
        event.stop()
        await self.action_do("open_row")

    async def do_open_row(self) -> None:
        """The long row in the prompt pane."""
        assert self._figures_of_side
        source, row, _ = self._figures_of_side.longest[self.query_one(VirtualTable).cursor]
        self.workspace.row = (source, row)
        await self.workbench.show("prompt")

    def do_next_side(self) -> None:
        """The next side of the split."""
        self._step(1)

    def do_previous_side(self) -> None:
        """The side before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        assert self._statistics
        sides = list(self._statistics.sides)
        self.side = sides[(sides.index(self.side) + by) % len(sides)]
        self.query_one(VirtualTable).move_to(0)
        self.fill()


def _histograms(figures: SideStatistics, width: int) -> Text:
    """Prompt and completion, beside each other where there is room."""
    if width < BESIDE:
        both = [_histogram(name, lengths, width) for name, lengths in _named(figures)]
        return Text("\n").join([Text(), *[Text("\n").join(lines) for lines in both], Text()])
    left, right = (_histogram(name, lengths, width // 2 - 2) for name, lengths in _named(figures))
    lines = []
    for i in range(max(len(left), len(right))):
        line = left[i].copy() if i < len(left) else Text()
        line.pad_right(width // 2 - line.cell_len)
        lines.append(line.append_text(right[i] if i < len(right) else Text()))
    return Text("\n").join([Text(), *lines, Text()])


def _named(figures: SideStatistics) -> list[tuple[str, Lengths]]:
    return [("tokens of the prompt", figures.prompt), ("tokens of the completion", figures.completion)]


def _histogram(name: str, lengths: Lengths, width: int) -> list[Text]:
    most = max((count for _, _, count in lengths.histogram), default=0)
    lines = [Text(f"{name:>{LABEL + COUNT}}"[: width - 6] + " rows", "bold")]
    for first, last, count in lengths.histogram:
        of = f"{first:,}-{last:,}" if last > first else f"{first:,}"
        bars = bar(count / most, max(5, width - LABEL - COUNT - 2))
        lines.append(Text(f"{of:>{LABEL}}{count:>{COUNT},} {bars}"))
    return lines
