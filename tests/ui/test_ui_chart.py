"""The chart draws what it is given, seldom, and only what changed."""

import sys

import numpy as np
import pytest
from rich.style import Style
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static
from widget_app import WidgetApp, screen_lines, until

from workbench.ui.widgets import chart as chart_module
from workbench.ui.widgets.chart import EMPTY, Chart, Curve, Mark

X = np.arange(0.0, 1000.0)


def falling(label: str = "training", **options: object) -> Curve:
    return Curve(label, X, 2 * np.exp(-X / 300), **options)  # type: ignore[arg-type]


def is_drawn(app: WidgetApp) -> bool:
    return any("\u2801" <= character <= "\u28ff" for line in screen_lines(app) for character in line)


async def drawn(pilot: Pilot[None], app: WidgetApp) -> list[str]:
    await until(pilot, lambda: is_drawn(app))
    return screen_lines(app)


def count_drawings(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with each drawing by the number of curves it shows."""
    drawings: list[int] = []
    body = Chart._body

    def counted(self: Chart) -> list[Strip]:
        drawings.append(len(self._curves))
        return body(self)

    monkeypatch.setattr(Chart, "_body", counted)
    return drawings


async def test_empty_chart_says_so() -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert EMPTY in "\n".join(screen_lines(app))
        chart.set_curves([falling()], title="loss")
        lines = await drawn(pilot, app)
        assert EMPTY not in "\n".join(lines)


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 8)])
async def test_legend_tells_curves_apart_without_colour(size: tuple[int, int]) -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=size) as pilot:
        curves = [falling(), falling("validation", colour="warning")]
        chart.set_curves(
            curves, title="loss", marks=[Mark(300, "best"), Mark(500, "resumed"), Mark(700, "resumed")]
        )
        lines = await drawn(pilot, app)
        assert lines[0].startswith("loss")
        if size[0] >= 80:
            assert lines[0].split() == [
                "loss",
                "───",
                "training",
                "─o─",
                "validation",
                "┊",
                "best",
                "║",
                "resumed",
            ]
            assert sum("║" in line for line in lines[1:]) > 3
        assert all(len(line) <= size[0] for line in lines)
        assert "o" in "".join(lines[1:-1])


async def test_a_log_axis_is_named() -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(100, 20)) as pilot:
        chart.set_curves([falling(), falling("rate")], title="loss", log_y=True)
        heading = (await drawn(pilot, app))[0]
        assert heading.startswith("loss (log)")
        assert "rate" in heading


async def test_foreign_labels_are_cleaned() -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(100, 20)) as pilot:
        chart.set_curves([falling("\x1b]52;c;aGk=\x07[/red]")], title="a\nb")
        heading = (await drawn(pilot, app))[0]
        assert heading.startswith("a⏎b")
        assert "␛]52;c;aGk=␇[/red]" in heading


async def test_many_calls_are_one_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "SECONDS_BETWEEN_DRAWINGS", 0.3)
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling()], title="loss")
        await drawn(pilot, app)
        drawings = count_drawings(chart, monkeypatch)
        for count in range(1, 51):
            chart.set_curves([falling()] * count, title="loss")
        assert len(drawings) <= 1
        await until(pilot, lambda: bool(drawings) and drawings[-1] == 50)
        assert len(drawings) <= 2


async def test_a_key_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "SECONDS_BETWEEN_DRAWINGS", 3600.0)
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling()], title="loss")
        await drawn(pilot, app)
        chart.set_curves([falling()], title="accuracy")
        await pilot.pause()
        assert screen_lines(app)[0].startswith("accuracy")


async def test_only_changed_rows_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "SECONDS_BETWEEN_DRAWINGS", 0.0)
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        flat = np.ones(1000)
        flat[0] = 0.0
        chart.set_curves([Curve("a", X, flat)], title="loss")
        await drawn(pilot, app)
        painted: list[int] = []
        refresh = Widget.refresh

        def watched(self: Widget, *regions: object, **options: object) -> Widget:
            if self is chart:
                painted.append(len(regions))
            return refresh(self, *regions, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Chart, "refresh", watched)
        chart.set_curves([Curve("a", X, flat)], title="loss")
        assert painted == []
        shorter = flat.copy()
        shorter[900:999] = np.nan
        chart.set_curves([Curve("a", X, shorter)], title="loss")
        assert painted and 1 <= painted[0] <= 3


async def test_a_hidden_chart_draws_when_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.display = False
        await pilot.pause()
        drawings = count_drawings(chart, monkeypatch)
        chart.set_curves([falling()], title="loss")
        await pilot.pause()
        assert drawings == []
        chart.display = True
        await drawn(pilot, app)


async def test_a_chart_behind_another_pane_catches_up() -> None:
    """Its size is the old one when it comes back, so that no resize draws it."""
    chart, other = Chart(), Static("other")
    app = WidgetApp(ContentSwitcher(Vertical(chart, id="a"), Vertical(other, id="b"), initial="a"))
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling()], title="loss")
        await drawn(pilot, app)
        switcher = app.query_one(ContentSwitcher)
        switcher.styles.height = "1fr"
        switcher.current = "b"
        await pilot.pause()
        chart.set_curves([falling()], title="accuracy")
        await pilot.pause()
        switcher.current = "a"
        await until(pilot, lambda: screen_lines(app)[0].startswith("accuracy"))


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (23, 4), (24, 5), (300, 100)])
async def test_any_size_is_drawn_or_left_out(size: tuple[int, int]) -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling()], title="loss")
        await drawn(pilot, app)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert all(strip.cell_length == size[0] for strip in chart._strips)


async def test_no_colour_and_every_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling(), falling("b")], title="loss", marks=[Mark(500, "best")])
        for theme in app.available_themes:
            app.theme = theme
            await drawn(pilot, app)
        assert all(isinstance(segment.style, Style) for strip in chart._strips for segment in strip)


async def test_axes_are_dark_on_a_light_theme() -> None:
    chart = Chart()
    app = WidgetApp(chart)
    async with app.run_test(size=(80, 24)) as pilot:
        chart.set_curves([falling()], title="loss")
        await drawn(pilot, app)

        def brightness() -> float:
            styles = (segment.style for segment in chart._strips[-1] if segment.text.strip())
            colour = next(style.color for style in styles if style and style.color)
            return sum(colour.get_truecolor()) / 3

        for theme, dark in (("textual-light", True), ("textual-dark", False)):
            app.theme = theme
            await until(pilot, lambda dark=dark: (brightness() < 128) is dark)


def test_importing_the_chart_imports_no_numbers() -> None:
    import subprocess

    code = "import workbench.ui.widgets.chart, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"numpy", "plotext"}.isdisjoint(loaded)
