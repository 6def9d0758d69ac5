"""Growing files: nothing is written twice or read twice, and a kill leaves half a line at most."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.evaluation.lines import Lines, Tail
from workbench.evaluation.records import Answer, Score, read_records, to_lines


def score(row: int) -> Score:
    return Score(source=0, row=row, nll=1.5, tokens=3, correct=1)


def opened(path: Path) -> Lines[Score]:
    return Lines(path, Score, lambda record: record.row)


@given(cut=st.integers(0, 400))
def test_a_file_that_was_cut_anywhere_goes_on(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("lines") / "deep" / "scores.jsonl"
    with opened(path) as lines:
        lines.append(map(score, range(4)))
    path.write_bytes(path.read_bytes()[:cut])
    with opened(path) as lines:
        lines.append(score(row) for row in range(5) if row not in lines.seen)
        assert lines.seen == set(range(5))
    assert [record.row for record in read_records(path, Score)] == list(range(5))


def test_a_broken_line_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_bytes(to_lines([score(1)]) + b"{}\n" + to_lines([score(2)]))
    before = path.read_bytes()
    with pytest.raises(WorkbenchError, match="scores.jsonl:2"):
        opened(path)
    assert path.read_bytes() == before


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").mkdir()
    with pytest.raises(WorkbenchError, match="cannot be written"):
        opened(tmp_path / "scores.jsonl")


@given(pieces=st.lists(st.integers(1, 90), max_size=30))
def test_a_tail_gives_each_line_once(tmp_path_factory: pytest.TempPathFactory, pieces: list[int]) -> None:
    path = tmp_path_factory.mktemp("tail") / "answers.jsonl"
    whole = [Answer(source=0, row=row, text=f"สวัสดี {row}", tokens=2, ended="length") for row in range(9)]
    tail, content, found = Tail(path, Answer), to_lines(whole), []
    assert tail.read() == []
    for size in [*pieces, len(content)]:
        with path.open("ab") as file:
            file.write(content[:size])
        content = content[size:]
        found += tail.read()
    assert found == whole and tail.read() == []


def test_a_tail_names_the_number_of_a_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_bytes(to_lines(map(score, range(3))))
    tail = Tail(path, Score)
    assert len(tail.read()) == 3
    with path.open("ab") as file:
        file.write(b"\n[]\n")
    with pytest.raises(WorkbenchError, match="scores.jsonl:5"):
        tail.read()
