"""Lines of an evaluation: what is written comes back, and what is broken is named."""

import math
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.evaluation.records import Answer, Said, Score, ScoredRow, read_records, to_lines

ROW = ScoredRow(
    source=0,
    row=7,
    id="a1",
    messages=[Said(role="user", content="สวัสดี", given={"emotion": "joy"})],
    reference=None,
)


def test_lines_come_back_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(to_lines([ROW]))
    assert list(read_records(file, ScoredRow)) == [ROW]


def test_a_figure_that_is_no_number_stays_one(tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_bytes(to_lines([Score(source=0, row=1, nll=math.nan, tokens=3, correct=0)]))
    assert math.isnan(next(read_records(file, Score)).nll)


def test_half_a_last_line_waits(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    whole = to_lines([Answer(source=0, row=1, text="So", tokens=2, ended="length")])
    file.write_bytes(whole + whole[:20])
    assert [answer.text for answer in read_records(file, Answer)] == ["So"]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_bytes(to_lines([Answer(source=0, row=1, text="", tokens=0, ended="length")]) + b"{}\n")
    with pytest.raises(WorkbenchError, match="answers.jsonl:2"):
        list(read_records(file, Answer))


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(read_records(tmp_path / "scores.jsonl", Score)) == []
