"""Lines never need more cells than there are, lose nothing, and never part a letter from its marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from workbench.ui.wrapping import word_ends, wrap

THAI = "สวัสดีครับ ยินดีต้อนรับสู่ห้องปฏิบัติการ น้ำใจ"
some_text = st.text(st.sampled_from("ab  \n中文สวัดี้ำe\u0301👩\u200d👧·│"), max_size=80)


def lines_of(text: str, width: int) -> list[str]:
    starts = wrap(text, word_ends(text), width)
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


@given(some_text, st.integers(2, 30))
def test_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = lines_of(text, width)
    assert "".join(lines) == text
    for line in lines:
        assert "\n" not in line[:-1]
        drawn = line.rstrip(" \n")
        # A family of joined emoji is never cut, so that it may be all that stands on a line.
        assert cell_len(drawn) <= width or "\u200d" in drawn


CLUSTERS = ["ก", "กั", "สี้", "น้ำ", "ที่", "จ์", "e\u0301", "中", " "]


@given(st.lists(st.sampled_from(CLUSTERS), max_size=40).map("".join), st.integers(2, 20))
def test_marks_stay_on_their_letter(text: str, width: int) -> None:
    for line in lines_of(text, width)[1:]:
        assert get_character_cell_size(line[0]) > 0


@pytest.mark.parametrize("width", range(3, 40))
def test_thai_is_never_cut_inside_a_cluster(width: int) -> None:
    for line in lines_of(THAI, width):
        assert get_character_cell_size(line[0]) > 0


def test_words_stay_whole_where_they_fit() -> None:
    assert lines_of("one two three\nfour", 8) == ["one two ", "three\n", "four"]
    assert lines_of("abcdefghij k", 4) == ["abcd", "efgh", "ij k"]
