"""What a source's path can name: files, folders, patterns, parallel files; many files are one run of rows."""

import gzip
import json
import os
import unicodedata
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.files.many import ManyRows
from workbench.data.files.rows import NOT_UTF8, RowError, Rows, open_rows
from workbench.data.files.sources import open_source, source_files
from workbench.errors import WorkbenchError
from workbench.project.source import SourceTable

FRAGMENTS = [b'"', b",", b"\n", b"\r", b"{", b"}", b"[", b"]", b":", b"1", b'"a"', b'"data"', b"\t", b"\xff"]
HOSTILE = st.binary() | st.lists(st.sampled_from(FRAGMENTS)).map(b"".join)
SUFFIXES = ["jsonl", "ndjson", "json", "csv", "tsv", "txt", "parquet", "arrow"]


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def jsonl(*values: int) -> str:
    return "".join(f'{{"a": {value}}}\n' for value in values)


def opened(folder: Path, path: str, **settings: object) -> Rows:
    return open_source(SourceTable.model_validate({"path": path, **settings}), folder)


def values(rows: Rows) -> list[object]:
    """Column `a` of each row, or why it is rejected."""
    return [row.reason if isinstance(row, RowError) else row["a"] for row in rows.scan()]


def problem(folder: Path, path: str, **settings: object) -> str:
    with pytest.raises(WorkbenchError) as caught:
        opened(folder, path, **settings)
    assert not isinstance(caught.value, RowError)
    return str(caught.value)


# Folders and patterns


def test_a_folder_gives_the_rows_of_its_data_files_in_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "data/b.jsonl", jsonl(3, 4))
    write(tmp_path / "data/a/x.csv", "a\n1\n2\n")
    write(tmp_path / "data/README.md", "about")
    write(tmp_path / "data/notes.txt", "about")
    write(tmp_path / "data/.hidden.jsonl", jsonl(9))
    write(tmp_path / "data/.cache/x.jsonl", jsonl(9))
    write(tmp_path / "data/dataset_info.json", "{}")
    rows = opened(tmp_path, "data")
    assert values(rows) == ["1", "2", 3, 4]
    assert rows.place(3) == "b.jsonl row 1"
    assert rows.place(1) == "a/x.csv row 1"
    assert rows.files == [tmp_path / "data/a/x.csv", tmp_path / "data/b.jsonl"]
    assert rows.path == tmp_path / "data"


def test_a_folder_of_texts_alone(tmp_path: Path) -> None:
    write(tmp_path / "t/1.txt", "one\n")
    write(tmp_path / "t/2.txt", "two\n\nthree")
    rows = opened(tmp_path, "t")
    assert [row if isinstance(row, RowError) else row["text"] for row in rows.scan()][:2] == ["one", "two"]
    assert len(rows) == 4


def test_patterns(tmp_path: Path) -> None:
    for n, name in enumerate(("data/train-1.jsonl", "data/train-2.jsonl", "data/deep/train-3.jsonl")):
        write(tmp_path / name, jsonl(n))
    assert values(opened(tmp_path, "data/*.jsonl")) == [0, 1]
    rows = opened(tmp_path, "data/**/train-*.jsonl")
    assert values(rows) == [2, 0, 1]
    assert rows.place(0) == "deep/train-3.jsonl row 0"
    assert values(opened(tmp_path, "data/train-[2].jsonl")) == [1]
    write(tmp_path / "data/[x].jsonl", jsonl(7))
    assert values(opened(tmp_path, "data/[x].jsonl")) == [7]  # a file of that name comes first


def test_a_project_whose_folder_looks_like_a_pattern(tmp_path: Path) -> None:
    project = tmp_path / "[new] project*"
    write(project / "data/a.jsonl", jsonl(1))
    rows = opened(project, "data/*.jsonl")
    assert values(rows) == [1]
    assert rows.place(0) == "a.jsonl row 0"
    assert "no file matches" in problem(project, "da\0ta/*.jsonl")


def test_absolute_paths_and_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "x.jsonl", jsonl(1))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert values(opened(Path("/nowhere"), "~/x.jsonl")) == [1]
    assert values(opened(Path("/nowhere"), str(tmp_path / "*.jsonl"))) == [1]


def test_what_names_nothing(tmp_path: Path) -> None:
    write(tmp_path / "empty/README.md", "x")
    assert "no data files there" in problem(tmp_path, "empty")
    assert "no file matches" in problem(tmp_path, "*.jsonl")
    assert f"no such file; relative paths are seen from {tmp_path}" in problem(tmp_path, "x.jsonl")
    assert problem(tmp_path, str(tmp_path / "x.jsonl")).endswith("no such file")


def test_every_broken_file_of_several_is_named(tmp_path: Path) -> None:
    write(tmp_path / "d/a.jsonl", jsonl(1))
    write(tmp_path / "d/b.json", "[{")
    write(tmp_path / "d/c.jsonl", "")
    said = problem(tmp_path, "d")
    assert "d/b.json:1: broken JSON" in said
    assert "d/c.jsonl: the file is empty" in said


def test_a_file_beside_its_own_packed_copy_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "d/a.jsonl", jsonl(1))
    write(tmp_path / "d/a.jsonl.gz", gzip.compress(jsonl(1).encode()))
    assert "a.jsonl is there twice" in problem(tmp_path, "d")


# Several files as one


def test_many_files_are_read_while_their_index_grows(tmp_path: Path) -> None:
    for part in range(3):
        write(tmp_path / f"{part}.jsonl", jsonl(*range(part * 20_000, (part + 1) * 20_000)))
    rows = opened(tmp_path, "*.jsonl")
    assert 0 < rows.known < 20_000
    assert not rows.complete
    assert rows[0] == {"a": 0}
    assert rows[45_000] == {"a": 45_000}
    assert rows.place(45_000) == "2.jsonl row 5000"
    assert list(rows.scan(19_998, 20_002)) == [{"a": i} for i in range(19_998, 20_002)]
    told: list[float] = []
    rows.build(told.append)
    assert rows.complete and told[-1] == 1.0
    assert len(rows) == rows.known == 60_000
    assert [rows[i]["a"] for i in (59_999, 0, 20_000, 39_999)] == [59_999, 0, 20_000, 39_999]
    for i in (-1, 60_000):
        with pytest.raises(IndexError):
            rows[i]


def test_the_first_rows_of_many_files_need_no_index_of_the_rest(tmp_path: Path) -> None:
    for part in range(2):
        write(tmp_path / f"{part}.jsonl", jsonl(*range(20_000)))
    rows = opened(tmp_path, "*.jsonl")
    assert len(list(rows.scan(0, 10))) == 10
    assert not rows.complete and rows.known < 20_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.integers(0, 20), st.integers(0, 20))
def test_scan_is_the_rows_one_by_one(tmp_path: Path, counts: list[int], start: int, stop: int) -> None:
    parts = []
    for n, count in enumerate(counts):
        text = "\n".join(f'{{"a": {i}}}' if i % 2 else "broken" for i in range(count)) or " "
        parts.append(open_rows(write(tmp_path / f"{n}.jsonl", text)))
    rows = ManyRows(tmp_path, parts, tmp_path)
    one_by_one: list[object] = []
    for i in range(len(rows)):
        try:
            one_by_one.append(rows[i]["a"])
        except RowError as e:
            one_by_one.append(e.reason)
    scanned = [row.reason if isinstance(row, RowError) else row["a"] for row in rows.scan(start, stop)]
    assert scanned == one_by_one[start:stop]
    assert values(rows) == one_by_one


# Parallel files


def test_columns_from_parallel_files(tmp_path: Path) -> None:
    write(tmp_path / "text.txt", "hello __eou__ hi\nyes\n")
    write(tmp_path / "emotion.txt", "0 4\n\n")
    write(tmp_path / "topic.txt.gz", gzip.compress(b"1\n2\n"))
    rows = opened(tmp_path, "text.txt", beside={"emotion": "emotion.txt", "topic": "topic.txt.gz"})
    assert list(rows.scan()) == [
        {"text": "hello __eou__ hi", "emotion": "0 4", "topic": "1"},
        {"text": "yes", "emotion": "", "topic": "2"},
    ]
    assert rows[1]["topic"] == "2"
    assert rows.files == [tmp_path / "text.txt", tmp_path / "emotion.txt", tmp_path / "topic.txt.gz"]


def test_parallel_files_of_different_lengths_are_an_error_with_both_counts(tmp_path: Path) -> None:
    write(tmp_path / "text.txt", "a\nb\nc\n")
    write(tmp_path / "one.txt", "1\n2\n")
    said = problem(tmp_path, "text.txt", beside={"label": "one.txt"})
    assert "3 rows, but one.txt has 2 lines" in said


def test_big_parallel_files_tell_it_when_their_end_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.data.files.beside._INDEXED_AT_ONCE", 0)
    write(tmp_path / "text.txt", "some text\n" * 10_000)
    write(tmp_path / "label.txt", "1\n" * 9_999)
    rows = opened(tmp_path, "text.txt", beside={"label": "label.txt"})
    assert not rows.complete and rows[5] == {"text": "some text", "label": "1"}
    with pytest.raises(WorkbenchError, match="10,000 rows, but label.txt has 9,999 lines"):
        rows.build()
    with pytest.raises(WorkbenchError, match="9,999"):
        list(rows.scan())
    with pytest.raises(WorkbenchError, match="9,999"):
        rows[9_999]


def test_a_broken_line_beside_a_row_rejects_the_row(tmp_path: Path) -> None:
    write(tmp_path / "x.jsonl", jsonl(1, 2))
    write(tmp_path / "label.txt", b"\xff\nfine\n")
    rows = opened(tmp_path, "x.jsonl", beside={"label": "label.txt"})
    first, second = rows.scan()
    assert isinstance(first, RowError) and first.reason == NOT_UTF8 and "label.txt: line 1" in first.detail
    assert second == {"a": 2, "label": "fine"}
    with pytest.raises(RowError):
        rows[0]


# Settings that do not belong to the file


def test_settings_of_another_format_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "x.jsonl", jsonl(1))
    assert "`rows` leads into .json files only" in problem(tmp_path, "x.jsonl", rows="data")
    assert "`columns` is for" in problem(tmp_path, "x.jsonl", columns=["a"])
    assert "`rows` is for files" in problem(tmp_path, "hub:owner/name", rows="data")


# Any bytes


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=HOSTILE,
    suffix=st.sampled_from(SUFFIXES),
    packing=st.sampled_from(["", ".gz", ".zst", "broken.gz", "broken.zst"]),
    nested=st.sampled_from(["", "data", "data.a"]),
    columns=st.sampled_from([[], ["a", "b"]]),
)
def test_any_bytes_are_rows_or_an_error_with_a_place(
    tmp_path: Path, data: bytes, suffix: str, packing: str, nested: str, columns: list[str]
) -> None:
    import pyarrow as pa

    if packing == ".gz":
        data = gzip.compress(data)
    elif packing == ".zst":
        data = pa.compress(data, codec="zstd", asbytes=True)
    name = f"x.{suffix}{packing.removeprefix('broken')}"
    write(tmp_path / name, data)
    os.utime(tmp_path / name, ns=(0, hash((data, packing)) % 10**18))  # told apart by the cache
    try:
        rows = opened(tmp_path, name, rows=nested if suffix == "json" else "", columns=columns)
    except RowError:
        raise AssertionError("an error of the file, not of a row") from None
    except WorkbenchError as e:
        assert all(name in problem.where and problem.what for problem in e.problems)
        return
    assert len(rows) == rows.known
    for i, scanned in enumerate(rows.scan()):
        assert rows.place(i) == f"{name} row {i}"
        try:
            row = rows[i]
        except RowError as e:
            assert isinstance(scanned, RowError) and e.reason == scanned.reason
        else:
            assert json.dumps(row, default=str) == json.dumps(scanned, default=str)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.integers(0, 2000), st.sampled_from(["parquet", "arrow", "stream"]))
def test_damaged_arrow_and_parquet_end_in_rows_or_an_error(
    tmp_path: Path, noise: bytes, place: int, form: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": ["a", "bcd", None], "turns": [[{"role": "user"}], [], None]})
    path = tmp_path / ("x.parquet" if form == "parquet" else "x.arrow")
    if form == "parquet":
        pq.write_table(table, path)
    else:
        make = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
        with make(path, table.schema) as writer:
            writer.write_table(table)
    data = path.read_bytes()
    path.write_bytes(data[:place] + noise + data[place + len(noise) :])
    try:
        rows = open_rows(path)
    except WorkbenchError as e:
        assert str(path) in str(e)
        return
    for row in rows.scan():
        assert isinstance(row, dict | RowError)


# Names and files that cannot be had


def test_a_folder_that_cannot_be_looked_through_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "data/a.jsonl", jsonl(1))

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    for name in ("data", "data/*.jsonl"):
        assert problem(tmp_path, name).endswith("cannot be read: Permission denied")
        with pytest.raises(WorkbenchError, match="Permission denied"):
            source_files(SourceTable(path=name), tmp_path)


@pytest.mark.parametrize("written, named", [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_name_is_found_in_the_other_unicode_form(
    tmp_path: Path, written: Literal["NFC", "NFD"], named: Literal["NFC", "NFD"]
) -> None:
    there, asked = unicodedata.normalize(written, "thé"), unicodedata.normalize(named, "thé")
    write(tmp_path / f"{there}.jsonl", jsonl(1, 2))
    write(tmp_path / f"{there}.txt", "x\ny\n")
    beside = {"label": f"{asked}.txt"}
    rows = opened(tmp_path, f"{asked}.jsonl", beside=beside)
    assert [row["label"] for row in rows.scan() if not isinstance(row, RowError)] == ["x", "y"]
    found = source_files(SourceTable(path=f"{asked}.jsonl", beside=beside), tmp_path)
    assert [path.name for path in found] == [f"{there}.jsonl", f"{there}.txt"]
    assert "no such file" in problem(tmp_path, f"{asked}2.jsonl")


def test_a_file_beside_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.jsonl", jsonl(1))
    write(tmp_path / "a.txt", "x\n")
    opening = Path.open

    def refuse(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return opening(path, *args, **more)

    monkeypatch.setattr(Path, "open", refuse)
    told = problem(tmp_path, "a.jsonl", beside={"label": "a.txt"})
    assert told == f"{tmp_path / 'a.txt'}: cannot be read: Permission denied"
