"""A table of a million rows asks for the rows in view only, and keeps its cursor where keys put it."""

import time
import tracemalloc
from collections.abc import Sequence

import pytest
from rich.text import Text
from widget_app import WidgetApp, screen_lines

from workbench.ui.widgets.table import KEPT_ROWS, Column, VirtualTable


class Rows:
    """Cells by row number; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.word = "text"

    def __call__(self, row: int) -> Sequence[str | Text]:
        self.asked.append(row)
        return [str(row), "✗" if row % 7 == 3 else "", f"{self.word} of {row}"]


def table_of(count: int, cells: Rows | None = None) -> tuple[VirtualTable, WidgetApp]:
    table = VirtualTable([Column("row", 8), Column("", 1), Column("text", 1.0)], cells or Rows())
    table.set_row_count(count)
    return table, WidgetApp(table)


async def test_keys_move_the_cursor_and_it_stays_in_view() -> None:
    table, app = table_of(100)
    async with app.run_test(size=(60, 11)) as pilot:
        table.focus()
        for key, row in [
            ("j", 1), ("down", 2), ("k", 1), ("pagedown", 11), ("pageup", 1), ("G", 99), ("end", 99),
                ("up", 98),
            ("g", 0), ("up", 0), ("end", 99), ("down", 99), ("home", 0),
        ]:  # fmt: skip
            await pilot.press(key)
            assert table.cursor == row, key
            lines = screen_lines(app)
            assert lines[0].split()[:2] == ["row", "text"]
            assert any(line.startswith("> ") and line.split()[1] == str(row) for line in lines), lines
        moved = [message.row for message in app.heard_of(VirtualTable.Highlighted)]
        assert moved == [1, 2, 1, 11, 1, 99, 98, 0, 99, 0]


async def test_last_row_is_seen_above_a_scrollbar() -> None:
    table, app = table_of(100)
    async with app.run_test(size=(20, 8)) as pilot:
        table.focus()
        await pilot.press("end")
        assert screen_lines(app)[-1].startswith("> 99")


async def test_only_rows_in_view_are_asked_for() -> None:
    cells = Rows()
    table, app = table_of(1_000_000, cells)
    async with app.run_test(size=(60, 21)) as pilot:
        table.focus()
        assert set(cells.asked) <= set(range(20))
        await pilot.press("end")
        assert set(cells.asked) <= set(range(20)) | set(range(999_980, 1_000_000))
        assert len(cells.asked) == len(set(cells.asked))


async def test_enter_and_two_clicks_choose() -> None:
    table, app = table_of(10)
    async with app.run_test(size=(60, 11)) as pilot:
        table.focus()
        await pilot.press("j", "enter")
        await pilot.click(table, offset=(5, 5), times=2)
        assert [message.row for message in app.heard_of(VirtualTable.Selected)] == [1, 4]
        assert table.cursor == 4


async def test_an_empty_table_takes_all_keys() -> None:
    table, app = table_of(0)
    async with app.run_test(size=(60, 11)) as pilot:
        table.focus()
        await pilot.press("j", "k", "end", "home", "pagedown", "enter")
        assert table.cursor == 0
        assert not app.heard_of(VirtualTable.Selected)
        assert not app.heard_of(VirtualTable.Highlighted)


async def test_rows_may_come_and_go_while_they_are_shown() -> None:
    table, app = table_of(3)
    async with app.run_test(size=(60, 11)) as pilot:
        table.focus()
        await pilot.press("end")
        table.set_row_count(50)
        await pilot.pause()
        assert table.cursor == 2
        assert screen_lines(app)[10].split()[0] == "9"
        table.move_to(40)
        await pilot.pause()
        assert any(line.startswith("> 40") for line in screen_lines(app))
        table.set_row_count(5)
        await pilot.pause()
        assert table.cursor == 4
        assert [line.split()[-1] for line in screen_lines(app)[1:6]] == ["0", "1", "2", "3", "4"]
        assert screen_lines(app)[6:] == [""] * 5


async def test_refreshed_rows_show_what_they_are_now() -> None:
    cells = Rows()
    table, app = table_of(5, cells)
    async with app.run_test(size=(60, 11)) as pilot:
        cells.word = "news"
        table.refresh_rows()
        await pilot.pause()
        assert "news of 3" in screen_lines(app)[4]


async def test_a_shorter_table_keeps_its_cursor_in_view() -> None:
    table, app = table_of(100)
    async with app.run_test(size=(60, 30)) as pilot:
        table.move_to(25)
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert any(line.startswith("> 25") for line in screen_lines(app))


@pytest.mark.parametrize(
    "cell",
    [
        "中文" * 40,
        "สวัสดี" * 40,
        "\x1b[31mred\nnext " * 20,
        Text("bold\nnext " * 20, style="bold"),
        "[red]x[/]",
    ],
)
@pytest.mark.parametrize("width", [20, 33, 80])
async def test_foreign_cells_stay_in_their_column(cell: str | Text, width: int) -> None:
    table = VirtualTable([Column("a", 0.5), Column("b", 3)], lambda row: [cell, "end"])
    table.set_row_count(2)
    async with WidgetApp(table).run_test(size=(width, 5)) as pilot:
        strip = table.render_line(1)
        assert strip.cell_length == pilot.app.size.width
        assert strip.text.rstrip().endswith("end")
        assert strip.text.isprintable()


def test_a_million_rows_cost_what_a_thousand_cost() -> None:
    def cost(count: int) -> tuple[float, int]:
        import asyncio

        async def show() -> float:
            table, app = table_of(count)
            async with app.run_test(size=(80, 40)) as pilot:
                table.focus()
                start = time.perf_counter()
                for _ in range(5):
                    await pilot.press("end", "home")
                return time.perf_counter() - start

        tracemalloc.start()
        seconds = asyncio.run(show())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return seconds, peak

    cost(10)
    small, large = cost(1_000), cost(1_000_000)
    assert large[0] < 3 * small[0]
    assert large[1] < 1.5 * small[1]


async def test_what_is_remembered_stays_small() -> None:
    table, app = table_of(1_000_000)
    async with app.run_test(size=(60, 21)):
        for row in range(0, 200_000, 100):
            table._fetch(row)
        assert table._fetch.cache_info().currsize == KEPT_ROWS
