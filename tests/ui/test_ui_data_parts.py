"""What the data pane's views are made of: bars, changes of a text, marks and lists of rows."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from workbench.data.example import Example, Message, Origin, Rejected
from workbench.data.report import SourceReport
from workbench.data.selection import Selection
from workbench.ui.panes.data.add import data_files
from workbench.ui.panes.data.changes import changes, step_text
from workbench.ui.panes.data.listings import RowsOf, offers
from workbench.ui.panes.data.marks import Marks
from workbench.ui.text import clean_lines
from workbench.ui.widgets.bars import bar

PLAIN = Style()


@given(st.floats(allow_nan=False), st.integers(0, 300))
def test_a_bar_has_its_width(share: float, width: int) -> None:
    drawn = bar(share, width)
    assert cell_len(drawn) == width
    assert bool(drawn.strip()) == (share > 0 and width > 0)


def test_a_bar_grows_with_its_share() -> None:
    assert bar(0, 4) == "    " and bar(1, 4) == "████" and bar(0.5, 4) == "██  "
    assert bar(1e-9, 4) == "▏   " and bar(2, 4) == "████"


@given(st.text(), st.text())
def test_what_went_and_came_is_harmless_text(before: str, after: str) -> None:
    lost, won = changes(before, after, PLAIN, PLAIN)
    for character in lost.plain + won.plain:
        assert character == "\n" or not (ord(character) < 32 or 0x7F <= ord(character) < 0xA0)
    if before == after and len(before) <= 100:
        assert lost.plain == won.plain == clean_lines(before)


def test_changes_stand_in_brackets_and_far_text_is_cut() -> None:
    lost, won = changes("答案：是 \x1b", "是\x1b", PLAIN, PLAIN)
    assert lost.plain == "⟦答案：⟧是⟦ ⟧␛" and won.plain == "是␛"
    lost, won = changes("a" * 500 + "x" + "b" * 500, "a" * 500 + "yy" + "b" * 500, PLAIN, PLAIN)
    assert lost.plain == " … " + "a" * 100 + "⟦x⟧" + "b" * 100 + " … "
    assert "⟦yy⟧" in won.plain and len(won.plain) < 300
    lost, _ = changes("x" * 10_000, "y" * 10_000, PLAIN, PLAIN)
    assert len(lost.plain) < 4000, "no comparing that takes seconds"


def test_a_row_that_a_rule_leaves_out_says_why() -> None:
    before = Example((Message("user", "q"), Message("assistant", "redirect")), Origin(0, 3))
    text = step_text(before, Rejected(Origin(0, 3), "a redirect", filtered=True), PLAIN, PLAIN)
    assert "– filtered out: a redirect" in text.plain and "redirect" in text.plain


def selection() -> Selection:
    """Two sources; of the second: 0 rejected, 1 filtered, 2 trained, 3 equal, 4 held out, 5 not taken."""
    first, second = SourceReport(Path("a")), SourceReport(Path("b"))
    first.read, first.kept, second.read, second.kept = 1, 1, 6, 4
    second.rejected["bad"], second.filtered["short"] = array("q", [0]), array("q", [1])
    second.duplicate.append(3)
    made = Selection([first, second], [1, 1])
    for side, source, row in (("train", 0, 0), ("train", 1, 2), ("validation", 1, 4)):
        made.sides[side].append(source, row)  # type: ignore[index]
    made.duplicates.append(1, 3)
    return made


def test_marks_of_a_source() -> None:
    marks = Marks(selection(), 1)
    assert [marks.side(row) for row in range(7)] == ["", "", "train", "", "valid", "", ""]
    assert [marks.mark(row) for row in range(7)] == [
        "rejected",
        "filtered",
        "",
        "duplicate",
        "",
        "not taken",
        "",
    ]
    assert Marks(selection(), 0).side(0) == "train"


def test_a_duplicate_that_is_used_keeps_its_side() -> None:
    made = selection()
    made.duplicates.append(1, 4)
    marks = Marks(made, 1)
    assert (marks.mark(4), marks.side(4)) == ("duplicate", "valid")


def test_offers_are_the_rows_of_this_source() -> None:
    offered = {str(offer): offer for offer in offers(selection(), 1)}
    assert list(offered) == [
        "✗ rejected: bad  (1)",
        "– filtered: short  (1)",
        "= duplicate, left out  (1)",
        "side: train  (1)",
        "side: validation  (1)",
    ]
    assert list(offered["side: train  (1)"].rows(None)) == [(1, 2)]  # type: ignore[arg-type]


@given(st.sets(st.integers(0, 100)), st.integers(0, 100))
def test_rows_are_found(rows: set[int], row: int) -> None:
    listed = RowsOf(2, sorted(rows))
    assert list(listed) == [(2, each) for each in sorted(rows)]
    assert ((2, row) in listed) == (row in rows) and (1, row) not in listed
    if row in rows:
        assert listed[listed.index((2, row))] == (2, row)
    else:
        with pytest.raises(ValueError):
            listed.index((2, row))


def test_data_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv.gz", "deep/er/c.PARQUET", "runs/1/x.jsonl", ".hidden/y.json", "note.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert data_files(tmp_path) == ["a.csv.gz", "b.jsonl", "deep/er/c.PARQUET"]
    assert data_files(tmp_path / "nowhere") == []


def test_private_use_characters_that_went_are_seen() -> None:
    lost, won = changes("a \ue1ef b", "a  b", PLAIN, PLAIN)
    assert lost.plain == "a ⟦\\ue1ef⟧ b" and won.plain == "a  b"
