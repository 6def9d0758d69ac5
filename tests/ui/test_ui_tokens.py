"""The token view shows each character once, the mask by signs, and any length."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from widget_app import WidgetApp, screen_lines

from workbench.ui.widgets.token_flow import CLOSE, OPEN, Tokens, text_flow, token_flow
from workbench.ui.widgets.tokens import MODES, TokenView

TEXT = "<|user|>Xin chào สวัสดี\nnext  line<|end|>\n<|bot|>你好，hello<|end|>\n"
FIRST = ["<|user|>", "Xin", " chào", " สวัสดี", "\n", "next", " ", " line", "<|end|>", "\n"]
PIECES = [*FIRST, "<|bot|>", "你好", "，", "hello", "<|end|>", "\n"]
MASK = [0] * 11 + [1, 1, 1, 1, 0]
STOP_ID = 8


def tokens_of(pieces: list[str]) -> tuple[list[int], list[tuple[int, int]]]:
    ids = [pieces.index(piece) for piece in pieces]
    ends = [sum(map(len, pieces[: index + 1])) for index in range(len(pieces))]
    return ids, [(end - len(piece), end) for piece, end in zip(pieces, ends, strict=True)]


async def lines_in(mode: str, width: int = 80, height: int = 24) -> list[str]:
    view = TokenView()
    app = WidgetApp(view)
    async with app.run_test(size=(width, height)) as pilot:
        ids, spans = tokens_of(PIECES)
        view.mode = mode
        view.show(PIECES, ids, MASK, spans, stops={STOP_ID}, text=TEXT)
        await pilot.pause()
        assert view.legend().plain.isprintable()
        return [line.rstrip(" ▁▂▃▄▅▆▇█") for line in screen_lines(app)]


async def test_text_shows_what_is_trained_between_signs() -> None:
    lines = await lines_in("text")
    assert lines[:4] == ["<|user|>Xin chào สวัสดี⏎", "next··line<|end|>■⏎", "<|bot|>▐你好，hello<|end|>■▌⏎", ""]


async def test_tokens_are_parted_and_blanks_are_seen() -> None:
    lines = await lines_in("tokens")
    assert lines[:4] == [
        "<|user|>│Xin│·chào│·สวัสดี│⏎",
        "│next│·│·line│<|end|>■│⏎",
        "│<|bot|>▐你好│，│hello│<|end|>■▌⏎",
        "",
    ]


async def test_the_list_has_ids_and_mask() -> None:
    lines = await lines_in("ids", width=50)
    assert [line.split() for line in lines[10:16]] == [
        ["10", "10", ".", "<|bot|>"],
        ["11", "11", "+", "你好"],
        ["12", "12", "+", "，"],
        ["13", "13", "+", "hello"],
        ["14", "8", "+", "<|end|>■"],
        ["15", "4", ".", "⏎"],
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [20, 41, 80, 200])
async def test_lines_fit_any_width(mode: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in await lines_in(mode, width))


def test_a_character_of_several_tokens_is_shown_once() -> None:
    """Tokens of bytes share the characters they make up together."""
    tokens = Tokens(["�", "�", "b"], [1, 2, 3], [1, 1, 0], [(0, 1), (0, 1), (1, 2)], frozenset(), "你b")
    assert "".join(text_flow(tokens).parts) == "▐你▌b"


def test_a_token_without_text_of_its_own_leaves_no_signs() -> None:
    tokens = Tokens(["�", "�", "b"], [1, 2, 3], [0, 1, 0], [(0, 1), (0, 1), (1, 2)], frozenset(), "你b")
    assert "".join(text_flow(tokens).parts) == "你b"


def test_text_outside_all_tokens_is_shown_as_read() -> None:
    tokens = Tokens(["b"], [1], [1], [(2, 3)], frozenset(), "a b c")
    assert "".join(text_flow(tokens).parts) == "a ▐b▌ c"


spans_and_mask = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6), st.integers(0, 1)), max_size=20)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab 你ี่\n\t\x1b\u202e"), max_size=30), spans_and_mask)
def test_any_spans_show_the_whole_text_once(text: str, raw: list[tuple[int, int, int]]) -> None:
    spans = sorted((min(start, len(text)), min(start + size, len(text))) for start, size, _ in raw)
    mask = [trained for *_, trained in raw]
    shown = [text[start:end] for start, end in spans]
    tokens = Tokens(shown, [5] * len(spans), mask, spans, frozenset(), text)
    flow = "".join(text_flow(tokens).parts)
    bare = flow.replace(OPEN, "").replace(CLOSE, "").replace("⏎\n", "\n").replace("·", " ").replace("⇥", "\t")
    assert bare == text.replace("\x1b", "␛").replace("\u202e", "\ufffd")
    for whole in (flow, "".join(token_flow(tokens).parts)):
        assert whole.count(OPEN) == whole.count(CLOSE)
        assert whole.replace("\n", "").isprintable()


async def test_lone_marks_stand_on_a_circle() -> None:
    tokens = Tokens(["ส", "ี"], [1, 2], [0, 0], [(0, 1), (1, 2)], frozenset(), "สี")
    assert "".join(token_flow(tokens).parts) == "ส│◌ี"


async def test_keys_scroll_and_leave_the_panes_keys_alone() -> None:
    view = TokenView()
    app = WidgetApp(view)
    async with app.run_test(size=(40, 10)) as pilot:
        pieces = [f"w{index}\n" for index in range(100)]
        ids, spans = tokens_of(pieces)
        view.show(pieces, ids, [0] * 100, spans, stops=set(), text="".join(pieces))
        view.focus()
        for key, top in [("j", "w1⏎"), ("k", "w0⏎"), ("pagedown", "w9⏎"), ("end", "w90⏎"), ("home", "w0⏎")]:
            await pilot.press(key)
            assert screen_lines(app)[0].split()[0] == top, key
        assert not {"left", "right", "h", "l", "g", "m"} & set(view._bindings.key_to_bindings)


@pytest.mark.parametrize("mode", MODES)
async def test_thirty_two_thousand_tokens(mode: str) -> None:
    """Laid out in the time of eighty passes that only measure each token."""
    pieces = ["สวัสดี", " hello", "你好", "\n"] * 8_000
    ids = list(range(len(pieces)))
    ends, end = [], 0
    for piece in pieces:
        end += len(piece)
        ends.append(end)
    spans = [(end - len(piece), end) for piece, end in zip(pieces, ends, strict=True)]
    mask = [index % 3 // 2 for index in ids]
    view = TokenView()
    async with WidgetApp(view).run_test(size=(120, 40)) as pilot:
        view.mode = mode
        start = time.perf_counter()
        view.show(pieces, ids, mask, spans, stops={3}, text="".join(pieces))
        seconds = time.perf_counter() - start
        await pilot.press("end")
        await pilot.pause()
        start = time.perf_counter()
        for y in range(40):
            view.render_line(y)
        drawing = time.perf_counter() - start
    print(f"{mode}: laid out in {seconds * 1000:.0f} ms, a screen in {drawing * 1000:.1f} ms")  # noqa: T201
    start = time.perf_counter()
    for _ in range(40):
        for _piece in pieces:
            cell_len(_piece)
    assert seconds < 2 * (time.perf_counter() - start)
    assert drawing < 0.1, "a screen is drawn within a tenth of a second, however long the sequence"


def test_exact_text_shows_what_cannot_be_seen() -> None:
    text = "a b \n\ufeff\ue1efx\u200b\u3000\tz\N{NO-BREAK SPACE}\U000f0001"
    spans = [(i, i + 1) for i in range(len(text))]
    tokens = Tokens(list(text), [0] * len(text), [0] * len(text), spans, frozenset(), text)
    said = "".join(text_flow(tokens, exact=True).parts)
    assert said == "a·b·⏎\n\\ufeff\\ue1efx\\u200b\\u3000⇥z⍽\\U000f0001"
    plain = "".join(text_flow(tokens).parts)
    assert plain.startswith("a b·⏎\n")
