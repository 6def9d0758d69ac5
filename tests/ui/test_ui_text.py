"""Nothing foreign may steer the terminal: what is cleaned, and what the last guard drops in real widgets."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.content import Content
from textual.strip import Strip
from textual.widgets import DataTable, Input, Label, Log, OptionList, RichLog, Static, TextArea
from widget_app import WidgetApp, screen_lines

from workbench.ui.text import clean, clean_lines, guard_terminal, shown

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
ATTACK = "a\x1b]52;c;aGk=\x07b\x9b31mc\x7f\u202ed\x00e\u2066[red]f[/] [/INST] [@click=app.quit]g[/]"

# Surrogates too: a row of broken JSON escapes may hold them.
anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(anything)
def test_cleaned_text_cannot_steer(text: str) -> None:
    assert not STEERING.search(clean(text))
    assert not STEERING.search(clean_lines(text).replace("\n", ""))
    assert not STEERING.search(shown(text).plain.replace("\n", ""))
    assert len(clean(text)) <= len(text)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\u2028\u2029"), max_size=40
    )
)
def test_plain_text_is_left_alone(text: str) -> None:
    dropped = {"\ufe0f", "\u20e3", *map(chr, range(0x1F3FB, 0x1F400))}
    if not dropped & set(text):
        assert clean(text) == text


@pytest.mark.parametrize(
    "text", ["สวัสดีครับ ที่นี่", "Tiếng Việt", "Tiê\u0301ng Viê\u0323t", "中文測試", "👩\u200d👩\u200d👧"]
)
def test_scripts_of_the_users_stay_whole(text: str) -> None:
    assert clean(text) == text


def test_what_cannot_be_drawn_becomes_a_sign() -> None:
    assert clean("a\nb\tc\x1b[0m\x9b\x7f") == "a⏎b⇥c␛[0m\ufffd␡"
    assert clean_lines("a\r\nb\tc\rd") == "a\nb    c␍d"


def test_emoji_whose_width_terminals_dispute_lose_their_modifiers() -> None:
    assert clean("👍🏽 ❤️ 1️⃣") == "👍 ❤ 1"


def test_brackets_are_text() -> None:
    assert shown("[/] [red]x[/red] [link=http://e]y").plain == "[/] [red]x[/red] [link=http://e]y"


def rendered(*segments: Segment) -> str:
    """What a strip sends to the terminal, our own colour sequences left out."""
    out = Strip(segments).render(Console(force_terminal=True, color_system="truecolor"))
    return re.sub(r"\x1b\[[0-9;]*m", "", out)


@given(anything)
def test_guard_drops_what_still_came_through(text: str) -> None:
    guard_terminal()
    for style in (None, Style(), Style(bold=True)):
        out = rendered(Segment(text, style))
        assert not STEERING.search(out)
        assert cell_len(out) == cell_len(text)


def test_guard_drops_links_that_carry_commands() -> None:
    guard_terminal()
    assert "52;c" not in rendered(Segment("x", Style(link="http://a\x1b\\\x1b]52;c;aGk=\x07")))
    assert "http://good" in rendered(Segment("x", Style(link="http://good")))


def test_guard_is_installed_once() -> None:
    guard_terminal()
    first = Strip.render
    guard_terminal()
    assert Strip.render is first


async def test_real_widgets_send_nothing_that_steers() -> None:
    """Even widgets that are handed foreign text uncleaned, which no pane does."""
    guard_terminal()
    listed = OptionList(Content(ATTACK))
    table: DataTable[Text] = DataTable()
    field, log, rich_log = Input(), Log(), RichLog(min_width=10)
    widgets = (
        Static(Text(ATTACK)),
        Label(Content(ATTACK)),
        field,
        TextArea(ATTACK),
        listed,
        table,
        log,
        rich_log,
    )
    app = WidgetApp(*widgets)
    async with app.run_test(size=(100, 60)) as pilot:
        table.add_column(Text("t"))
        table.add_row(Text(ATTACK))
        field.value = ATTACK
        log.write(ATTACK)
        rich_log.write(Text(ATTACK))
        await pilot.pause()
        console = Console(force_terminal=True, color_system="truecolor")
        sent = "".join(strip.render(console) for strip in app.screen._compositor.render_strips())
        sent = re.sub(r"\x1b\[[0-9;]*m", "", sent)
        assert "[/INST]" in sent, screen_lines(app)
        assert not STEERING.search(sent)


def test_cleaning_is_cheap() -> None:
    """Against the cheapest way to look at every character once."""
    text = "Some ordinary text, สวัสดี, 中文. " * 30_000
    start = time.perf_counter()
    clean(text)
    cleaned = time.perf_counter() - start
    start = time.perf_counter()
    sum(1 for _ in text)
    assert cleaned < 2 * (time.perf_counter() - start)
