"""Curves over training steps, drawn with braille dots; only changed rows are sent to the terminal.

A redrawn chart of 120 x 40 is about 17 kB on the wire, which is why it is drawn once a second at most and
only while it is in view. numpy and plotext are imported in a thread when the first curve comes (0.3 s).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events, work
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.ui.text import clean

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from workbench.ui.canvas import Canvas

    Numbers = Sequence[float] | NDArray[numpy.float64]

SECONDS_BETWEEN_DRAWINGS = 1.0
EMPTY = "No points yet"
SIGNS = ("", "o", "x", "+", "*", "#")
"""Set on the curves in their order, so that they differ without colour."""

UPRIGHTS = (("dotted", "┊"), ("double", "║"), ("default", "│"))
"""plotext's line style of each kind of mark, and how it looks in the legend."""

FAINT = 0.45
"""How much of its colour a faint curve keeps before the background."""

_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve.

    Attributes:
        label: its name in the legend; empty to leave it out.
        x: ascending, length N.
        y: length N; NaN and infinity leave a gap.
        colour: name of a theme variable such as `primary`.
        faint: drawn dim, without a sign: what another curve is the mean of.
    """

    label: str
    x: "Numbers"
    y: "Numbers"
    colour: str = "primary"
    faint: bool = False


@dataclass(frozen=True)
class Mark:
    """A vertical line at `x`, explained by `label` in the legend; marks of equal label look alike."""

    x: float
    label: str


class Chart(Widget):
    """A row with title and legend, and the curves below it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--title", "chart--axis", "chart--empty"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._curves: Sequence[Curve] = ()
        self._marks: Sequence[Mark] = ()
        self._title = ""
        self._log_y = False
        self._window: tuple[float, float] | None = None
        self._canvas: Canvas | None = None
        self._strips: list[Strip] = []
        self._drawn_at = float("-inf")
        self._later: Timer | None = None

    def set_curves(
        self,
        curves: Sequence[Curve],
        *,
        title: str = "",
        log_y: bool = False,
        window: tuple[float, float] | None = None,
        marks: Sequence[Mark] = (),
        answer: bool = False,
    ) -> None:
        """Show these: at once, or as soon as the last drawing is a second old; the newest wins.

        Args:
            window: lowest and highest x in view; all without it.
            answer: this answers a key, and never waits; a change of title or axis does not either.
        """
        answer = answer or title != self._title or log_y != self._log_y
        self._curves, self._title, self._log_y, self._marks = curves, title, log_y, marks
        self._window = window
        wait = SECONDS_BETWEEN_DRAWINGS - (monotonic() - self._drawn_at)
        if answer or wait <= 0:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)

    def on_mount(self) -> None:
        """Colours belong to the theme; what lies below has its new ones only after the next refresh."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self._draw))

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size; Textual sends this too when a chart comes back into view."""
        self._draw()

    @work(thread=True, exclusive=True)
    def _load_canvas(self) -> None:
        from workbench.ui.canvas import Canvas

        def draw(canvas: Canvas) -> None:
            self._canvas = canvas
            self._draw()

        self.app.call_from_thread(draw, Canvas())

    def _draw(self) -> None:
        if self._later is not None:
            self._later.stop()
            self._later = None
        if not self.is_attached or not self.is_on_screen or not self.size:
            self._drawn_at = float("-inf")
            return
        self._drawn_at = monotonic()
        self._show([self._heading(), *self._body()])

    def _show(self, strips: list[Strip]) -> None:
        """Repaint the rows that differ; a curve that grows at its right end leaves most of them alone."""
        old, self._strips = self._strips, strips
        if len(old) != len(strips):
            self.refresh()
            return
        changed = [y for y, (before, after) in enumerate(zip(old, strips, strict=True)) if before != after]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One prepared row."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    # Rows

    def _heading(self) -> Strip:
        """Title, then each curve with its sign and each kind of mark with its line."""
        style = self.get_component_rich_style("chart--title")
        text = Text(clean(self._title), style=style, end="", no_wrap=True)
        if self._title and self._log_y:
            text.append(" (log)")
        text.append(" ")
        for curve, sign in zip(self._curves, self._signs(), strict=True):
            if not curve.label:
                continue
            key = "┈┈┈" if curve.faint else f"─{sign}─" if sign else "───"
            colour = Style(color=Color(*self._colour(curve)).rich_color)
            text.append(Text.assemble("  ", (key, colour), (" " + clean(curve.label), "not bold")))
        for label, (_, line) in self._kinds().items():
            text.append(Text.assemble("  ", (line, self._mark_style()), (" " + clean(label), "not bold")))
        text.truncate(self.size.width, overflow="ellipsis")
        pieces = text.render(self.app.console)
        return self._fill([Segment(part, self.rich_style + (own or Style())) for part, own, _ in pieces])

    def _body(self) -> list[Strip]:
        height = self.size.height - 1
        if not any(len(curve.x) for curve in self._curves):
            empty = self.get_component_rich_style("chart--empty")
            before = max(0, (self.size.width - len(EMPTY)) // 2)
            rows = [self._fill([]) for _ in range(height)]
            if height > 0:
                rows[height // 2] = self._fill([Segment(" " * before + EMPTY, empty)])
            return rows
        if self._canvas is None:
            self._load_canvas()
            return []
        from workbench.ui.canvas import Line, Upright

        curves = zip(self._curves, self._signs(), strict=True)
        kinds = self._kinds()
        rows_of_text = self._canvas.draw(
            self.size.width,
            height,
            [Line(curve.x, curve.y, self._colour(curve), sign) for curve, sign in curves],
            log_y=self._log_y,
            window=self._window,
            uprights=[Upright(mark.x, kinds[mark.label][0], self._mark_colour()) for mark in self._marks],
            foreground=self._component_colour("chart--axis"),
        )
        return [self._strip(row) for row in rows_of_text]

    def _strip(self, row: str) -> Strip:
        """A row of SGR text as a strip on the widget's own background; blanks join what is before them."""
        parts: list[list[str]] = [["", ""]]
        for index, part in enumerate(_COLOUR.split(row)):
            if index % 2:
                if part.startswith("38;2;") and part != parts[-1][0]:
                    parts.append([part, ""])
            else:
                parts[-1][1] += part
        return self._fill([Segment(text, self._style(codes)) for codes, text in parts if text])

    def _style(self, codes: str) -> Style:
        if not codes:
            return self.rich_style
        red, green, blue = map(int, codes.split(";")[2:5])
        return self.rich_style + Style(color=Color(red, green, blue).rich_color)

    def _fill(self, segments: list[Segment]) -> Strip:
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    # Colours and signs

    def _signs(self) -> list[str]:
        signs, plain = [], 0
        for curve in self._curves:
            signs.append("" if curve.faint else SIGNS[plain % len(SIGNS)])
            plain += not curve.faint
        return signs

    def _kinds(self) -> dict[str, tuple[str, str]]:
        # The quietest line for what comes again and again
        labels = sorted({mark.label for mark in self._marks}, key=lambda each: ("epoch" not in each, each))
        return {label: UPRIGHTS[index % len(UPRIGHTS)] for index, label in enumerate(labels)}

    def _colour(self, curve: Curve) -> tuple[int, int, int]:
        colour = Color.parse(self.app.theme_variables[curve.colour])
        return (self.background_colors[1].blend(colour, FAINT) if curve.faint else colour).rgb

    def _component_colour(self, name: str) -> tuple[int, int, int]:
        colour = self.get_component_rich_style(name).color  # made for the background, where it is `auto`
        assert colour is not None
        red, green, blue = colour.get_truecolor()
        return red, green, blue

    def _mark_colour(self) -> tuple[int, int, int]:
        return self._component_colour("chart--axis")

    def _mark_style(self) -> Style:
        return Style(color=Color(*self._mark_colour()).rich_color)
