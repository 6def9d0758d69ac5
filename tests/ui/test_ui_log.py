"""The log shows the end of a file as it grows, clean, and stays where the reader is."""

import os
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from widget_app import WidgetApp, screen_lines, until

from workbench.ui.widgets.log import KEPT_LINES, OPEN_BYTES, SLICE_BYTES, LogTail, TextTail, readable

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def lines_of(tail: TextTail) -> list[str]:
    return [*tail.lines, *([tail.open_line] if tail.open_line else [])]


def test_progress_lines_show_their_last_state() -> None:
    assert readable(b"\r 10%|#   |\r 50%|##  |\r100%|####|") == "100%|####|"
    assert readable(b"loading\r") == "loading"
    assert readable(b"windows line\r") == "windows line"


def test_colours_go_and_what_steers_is_seen() -> None:
    assert readable(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b[2K\x1b[A") == "red x"
    assert readable(b"\x9b31m \x00 \xff") == "\ufffd31m ␀ \ufffd"


@given(st.binary(max_size=200))
def test_any_line_is_printable(line: bytes) -> None:
    assert not STEERING.search(readable(line.replace(b"\n", b"")))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_reading_in_parts_reads_the_same(content: bytes, cuts: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        whole, growing = Path(folder, "whole"), Path(folder, "growing")
        whole.write_bytes(content)
        growing.touch()
        at_once, in_parts = TextTail(whole), TextTail(growing)
        at_once.read()
        ends = [*sorted(cuts), len(content)]
        for start, end in zip([0, *ends], ends, strict=False):
            with growing.open("ab") as file:
                file.write(content[start:end])
            in_parts.read()
        assert lines_of(in_parts) == lines_of(at_once)


def test_missing_file_is_waited_for_and_a_new_one_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    tail = TextTail(path)
    assert not tail.read()
    path.write_text("one\ntw")
    assert tail.read()
    assert lines_of(tail) == ["one", "tw"]
    assert not tail.read()
    new = tmp_path / "new"
    new.write_text("three and more\n")
    os.replace(new, path)
    assert tail.read()
    assert lines_of(tail) == ["three and more"]
    path.write_text("short\n")
    assert tail.read()
    assert lines_of(tail) == ["short"]


def test_of_a_huge_file_only_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    with path.open("w") as file:
        for number in range(200_000):
            file.write(f"line {number} of a long log\n")
    assert path.stat().st_size > 10 * SLICE_BYTES
    tail = TextTail(path)
    tail.read()
    assert len(tail.lines) == KEPT_LINES
    assert tail.lines[-1] == "line 199999 of a long log"
    assert all(line.startswith("line ") for line in tail.lines)


def test_one_endless_line_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    tail = TextTail(path)
    for _ in range(30):
        with path.open("ab") as file:
            file.write(b"y" * (SLICE_BYTES // 3) + b"\r")
        tail.read()
        assert len(tail.open_line) <= OPEN_BYTES
    with path.open("ab") as file:
        file.write(b"100%\nnext\n")
    tail.read()
    assert list(tail.lines) == ["100%", "next"]


async def test_the_end_is_followed_until_the_reader_scrolls_up(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("".join(f"line {number}\n" for number in range(50)))
    log = LogTail()
    app = WidgetApp(log)
    async with app.run_test(size=(40, 10)) as pilot:
        log.follow(path)
        log.focus()
        await until(pilot, lambda: "line 49" in screen_lines(app)[-1])
        with path.open("a") as file:
            file.write("more\n")
        await until(pilot, lambda: "more" in screen_lines(app)[-1])
        await pilot.press("home")
        assert "line 0" in screen_lines(app)[0]
        with path.open("a") as file:
            file.write("even more\n")
        await until(pilot, lambda: "even more" in log._shown)
        assert "line 0" in screen_lines(app)[0]
        await pilot.press("end")
        assert "even more" in screen_lines(app)[-1]


async def test_long_lines_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("word " * 30 + "\n" + "你" * 60 + "\n")
    log = LogTail()
    app = WidgetApp(log)
    async with app.run_test(size=(40, 20)) as pilot:
        log.follow(path)
        await until(pilot, lambda: "word" in screen_lines(app)[0])
        whole = "".join(screen_lines(app))
        assert whole.count("word") == 30 and whole.count("你") == 60


async def test_nothing_written_is_said(tmp_path: Path) -> None:
    log = LogTail()
    app = WidgetApp(log)
    async with app.run_test(size=(40, 5)) as pilot:
        log.follow(tmp_path / "console.log")
        await pilot.pause()
        assert "Nothing is written here yet" in screen_lines(app)[0]
