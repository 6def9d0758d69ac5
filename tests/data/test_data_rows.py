"""Files of every format by row number: what is read, which row is rejected, what is an error of the file."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.files.rows import NOT_UTF8, RowError, open_rows
from workbench.errors import WorkbenchError

FRAGMENTS = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"1",
    b'"a"',
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
]
HOSTILE = st.lists(st.sampled_from(FRAGMENTS)).map(b"".join)


def written(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def outcomes(path: Path) -> list[object]:
    """Each row, or the reason for which it is rejected."""
    rows = open_rows(path)
    result: list[object] = []
    for i in range(len(rows)):
        try:
            result.append(rows[i])
        except RowError as e:
            result.append(e.reason)
    return result


def problem(path: Path) -> str:
    with pytest.raises(WorkbenchError) as caught:
        open_rows(path)
    assert not isinstance(caught.value, RowError)
    return str(caught.value)


# JSON lines


def test_a_broken_line_rejects_that_row_and_no_other(tmp_path: Path) -> None:
    lines = [b'{"a": 1}', b"{", b"", b"[1]", b'{"a": "\xff"}', b"null", b"[" * 5000, b'{"a": 2}']
    assert outcomes(written(tmp_path, "x.jsonl", b"\n".join(lines))) == [
        {"a": 1},
        "broken JSON",
        "empty line",
        "not an object",
        NOT_UTF8,
        "not an object",
        "nested too deeply",
        {"a": 2},
    ]


def test_a_row_that_parses_but_is_too_deep_to_walk_is_rejected(tmp_path: Path) -> None:
    def nested(levels: int) -> str:
        return '{"a": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"

    made = outcomes(written(tmp_path, "x.jsonl", nested(64) + "\n" + nested(65) + "\n" + nested(400)))
    assert made[1:] == ["nested too deeply", "nested too deeply"]
    assert isinstance(made[0], dict)


def test_byte_order_mark_windows_line_ends_and_a_last_line_without_end(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n{"a": 3}')
    assert outcomes(path) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_numbers_that_python_refuses_are_kept_as_their_digits(tmp_path: Path) -> None:
    digits = "9" * 5000
    path = written(tmp_path, "x.jsonl", f'{{"a": {digits}, "b": 1e999, "c": -7}}')
    assert outcomes(path) == [{"a": digits, "b": float("inf"), "c": -7}]
    assert outcomes(written(tmp_path, "x.json", f'[{{"a": {digits}}}]')) == [{"a": digits}]


def test_no_such_row(tmp_path: Path) -> None:
    for name in ("x.jsonl", "x.json", "x.csv"):
        rows = open_rows(written(tmp_path, name, {"x.json": "[{}]", "x.csv": "a\n1\n"}.get(name, "{}\n")))
        assert len(rows) == 1
        for i in (1, -1):
            with pytest.raises(IndexError):
                rows[i]


def test_a_file_cut_short_under_our_feet_rejects_its_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", '{"a": 1}\n' * 100)
    rows = open_rows(path)
    assert len(rows) == 100
    os.truncate(path, 12)
    assert rows[0] == {"a": 1}
    with pytest.raises(RowError, match="become shorter"):
        rows[50]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.booleans()), min_size=1)
)
def test_any_records_come_back_as_they_were_written(tmp_path: Path, records: list[dict[str, object]]) -> None:
    lines = "\n".join(map(json.dumps, records))
    assert outcomes(written(tmp_path, "x.jsonl", lines)) == records
    assert outcomes(written(tmp_path, "x.json", json.dumps(records))) == records


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | HOSTILE, st.sampled_from(["jsonl", "json", "csv", "tsv", "parquet"]))
def test_no_bytes_raise_anything_else(tmp_path: Path, data: bytes, suffix: str) -> None:
    try:
        rows = open_rows(written(tmp_path, f"x.{suffix}", data))
    except WorkbenchError:
        return
    for i in range(len(rows)):
        try:
            assert isinstance(rows[i], dict)
        except RowError as e:
            assert e.reason


# JSON lists


def test_elements_that_are_not_objects_are_rejected_by_row(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path, "x.json", '[{"a": NaN}, 1, null, {"b": 2}]'))[1:] == [
        "not an object",
        "not an object",
        {"b": 2},
    ]


def test_an_element_in_another_encoding_is_rejected_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "x.json", b'[{"a": "\xff"}, [[1]], {"a": "\xc3\xa9"}]')
    assert outcomes(path) == [NOT_UTF8, "not an object", {"a": "é"}]
    assert "x.json:2: not UTF-8" in problem(written(tmp_path, "y.json", b'{\n"a": "\xff"}').rename(path))


def test_a_json_file_with_one_object_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x.json", b'\xef\xbb\xbf\n{"a": 1}\nbroken\n{"a": 2}\n')
    assert outcomes(path) == ["empty line", {"a": 1}, "broken JSON", {"a": 2}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[\n  {"a": 1},\n  {"a": }\n]', "x.json:3: broken JSON: Expecting value, column 9"),
        (
            '{"data": [{"a": 1}],\n "version": 2}',
            "holds an object, not a list of rows (lists inside it: data)",
        ),
        ('"text"', "holds text, not a list of rows"),
        (" \n ", "the file is empty"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"a": 1}]\n[{"a": 2}]', "x.json:2: broken JSON: Extra data"),
    ],
)
def test_a_broken_list_is_an_error_with_its_line(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert expected in problem(written(tmp_path, "x.json", text))


# CSV and TSV


def test_quoted_line_ends_huge_cells_and_ragged_records(tmp_path: Path) -> None:
    huge = "x" * 300_000
    text = f'\ufeff"a",b\r\n"one\ntwo, ""three""",2\r\n1\r\n1,2,3\r\n\r\n{huge},\x00\r\n"a"x,1\r\n5,6'
    assert outcomes(written(tmp_path, "x.csv", text)) == [
        {"a": 'one\ntwo, "three"', "b": "2"},
        "wrong number of columns",
        "wrong number of columns",
        "empty line",
        {"a": huge, "b": "\x00"},
        "broken CSV",
        {"a": "5", "b": "6"},
    ]


def test_a_record_in_another_encoding_is_rejected_alone(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path, "x.csv", b"a,b\n1,caf\xe9\n2,x\n")) == [
        NOT_UTF8,
        {"a": "2", "b": "x"},
    ]


def test_tabs_and_semicolons(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path, "x.tsv", "a\tb\n1,5\t2\n")) == [{"a": "1,5", "b": "2"}]
    assert outcomes(written(tmp_path, "x.csv", "a;b\n1,5;2\n")) == [{"a": "1,5", "b": "2"}]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a,b,a\n1,2,3\n", "x.csv:1: two columns are named 'a' (1 and 3)"),
        ("\n1,2\n", "names no columns"),
        (
            'a,b\n1,2\n3,"4\n5,6\n7,8\n',
            "x.csv:3: a quote in the record that begins here is never closed (3 lines)",
        ),
        (b"a,\xe9\n", "x.csv:1: not UTF-8 (save the file as UTF-8): record 1: byte 3"),
    ],
)
def test_what_spoils_a_whole_csv(tmp_path: Path, data: str | bytes, expected: str) -> None:
    assert expected in problem(written(tmp_path, "x.csv", data))


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    assert outcomes(written(tmp_path, "x.csv", ",a\n0,1\n")) == [{"column 1": "0", "a": "1"}]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_any_text_survives_csv(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    import csv

    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *cells])
    assert outcomes(path) == [{"a": a, "b": b} for a, b in cells]


# Parquet


def test_parquet_rows_over_several_row_groups(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "x.parquet"
    turns = [[{"role": "user", "content": str(i)}] for i in range(700)]
    pq.write_table(pa.table({"i": range(700), "turns": turns}), path, row_group_size=300)
    rows = open_rows(path)
    assert list(rows[0]) == ["i", "turns"]
    assert [rows[i] for i in (699, 0, 299, 300, 511)] == [
        {"i": i, "turns": [{"role": "user", "content": str(i)}]} for i in (699, 0, 299, 300, 511)
    ]
    assert len(outcomes(path)) == 700


def test_a_parquet_value_without_a_python_form_rejects_its_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "x.parquet"
    fields = [pa.field("a", pa.int64()), pa.field("a", pa.int64())]
    doubled = pa.StructArray.from_arrays(
        [pa.array([1, 2]), pa.array([3, 4])], fields=fields, mask=pa.array([True, False])
    )
    pq.write_table(pa.table({"x": doubled}), path)
    assert outcomes(path) == [{"x": None}, "broken parquet"]


def test_what_is_not_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert "cannot be read as parquet" in problem(written(tmp_path, "x.parquet", "PAR1 but no more"))
    pq.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "y.parquet"
    )
    assert "two columns are named 'a'" in problem(tmp_path / "y.parquet")


# Any file


def test_files_that_cannot_be_rows_at_all(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "no such file" in problem(tmp_path / "absent.jsonl")
    for empty in ("", "\ufeff"):
        assert "the file is empty" in problem(written(tmp_path, "e.jsonl", empty))
    assert "git lfs pull" in problem(written(tmp_path, "p.jsonl", pointer))
    assert "UTF-16" in problem(written(tmp_path, "u.csv", "a,b".encode("utf-16")))
    assert "is a folder" in problem(tmp_path / "folder.jsonl")
    assert "not a regular file" in problem(tmp_path / "pipe.jsonl")
    assert "unpack it first" in problem(written(tmp_path, "z.jsonl.xz", "x"))
    assert ".jsonl, .ndjson" in problem(written(tmp_path, "z.md", "x"))
    assert "no such file" in problem(Path("a\x00b\ud800.jsonl"))
    assert "cannot be read" in problem(tmp_path / ("n" * 300 + ".jsonl"))
