"""The key bar: words where there is room, keys alone where there is less, and help always."""

import pytest
from widget_app import WidgetApp, screen_lines

from workbench.ui.actions import actions
from workbench.ui.frame import KeyBar


@pytest.mark.parametrize("width", [200, 80, 60, 20, 8])
async def test_the_last_keys_lose_their_words_first(width: int) -> None:
    bar = KeyBar()
    app = WidgetApp(bar)
    offered = [action for action in actions("train") if action.bar]
    async with app.run_test(size=(width, 3)) as pilot:
        bar.keys = tuple((action, action.name != "resume") for action in offered)
        await pilot.pause()
        line = screen_lines(app)[0]
        if width < 20:
            return
        assert line.endswith("q quit") and len(line) < width
        assert ("(r Resume)" in line) is (width == 200)
        shown = [action for action in offered if f" {action.key} " in line and action.name != "resume"]
        assert "u" in line.split() or width < 80, "no working key is missing at 80 columns"
        with_words = [action for action in shown if f"{action.key} {action.label}" in line]
        assert with_words == shown[: len(with_words)]
