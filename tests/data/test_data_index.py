"""The line index: right for any bytes and any chunk, readable while it is built, stopped and resumed."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.files import index
from workbench.data.files.index import IndexedLines
from workbench.data.files.json_elements import ElementRows
from workbench.data.files.record_index import IndexedRecords
from workbench.data.files.rows import RowError
from workbench.errors import WorkbenchError


def lines_of(data: bytes) -> list[bytes]:
    parts = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [part.removesuffix(b"\r") for part in (parts if parts[-1] else parts[:-1])]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"\xef\xbb\xbf", b"\x00", b"bcd"])).map(b"".join),
    st.integers(1, 6),
    st.integers(1, 9),
)
def test_lines_are_those_of_the_file(tmp_path: Path, data: bytes, first: int, chunk: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with patch.object(index, "FIRST_CHUNK", first), patch.object(index, "CHUNK", chunk):
        lines = IndexedLines(path)
        assert len(lines) == len(lines_of(data))
        # a carriage return belongs to the line end only right before a newline
        assert [lines[i] for i in range(len(lines))] == lines_of(data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.text("ab,\"\n\r'é", max_size=6), min_size=1, max_size=3), min_size=1, max_size=8),
    st.integers(1, 12),
)
def test_records_are_those_of_the_file_however_it_is_cut(
    tmp_path: Path, records: list[list[str]], chunk: int
) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        bare_return = any("\r" in cell for record in records for cell in record)
        quoting = csv.QUOTE_ALL if bare_return else csv.QUOTE_MINIMAL
        csv.writer(file, lineterminator="\n", quoting=quoting).writerows(records)
    expected = path.read_bytes().decode()
    with patch.object(index, "FIRST_CHUNK", chunk), patch.object(index, "CHUNK", chunk):
        found = IndexedRecords(path, ",")
        raw = [found[i].decode() for i in range(len(found))]
        assert "".join(raw) == expected
        assert [next(csv.reader(io.StringIO(record, newline="\n"))) for record in raw] == records
        assert [b"".join(data for *_, data in found.blocks())] == [expected.encode()]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", ",", '"', "\n", "\r", '""'])).map("".join), st.integers(1, 9))
def test_broken_records_are_cut_alike_in_any_chunk(tmp_path: Path, text: str, chunk: int) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, newline="")

    def records() -> list[bytes] | str:
        try:
            found = IndexedRecords(path, ",")
            return [found[i] for i in range(len(found))]
        except RowError:
            raise
        except WorkbenchError as e:
            return str(e)

    whole = records()
    with patch.object(index, "FIRST_CHUNK", chunk), patch.object(index, "CHUNK", chunk):
        assert records() == whole


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('a\\"é]},[{', max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab]", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]), st.booleans(), st.integers(1, 9))
def test_elements_are_those_of_the_list_however_it_is_cut(
    tmp_path: Path, values: list[object], indent: int | None, is_ascii: bool, chunk: int
) -> None:
    path = tmp_path / "x.json"
    path.write_text(f" {json.dumps(values, indent=indent, ensure_ascii=is_ascii)}\n\n", "utf-8")
    with patch.object(index, "FIRST_CHUNK", chunk), patch.object(index, "CHUNK", chunk):
        rows = ElementRows(path)
        assert len(rows) == len(values)
        for i, value in enumerate(values):
            try:
                assert json.dumps(rows[i]) == json.dumps(value)
            except RowError as e:
                assert e.reason == "not an object" and not isinstance(value, dict)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(list('[]{},:"1 \n') + ['{"a":1}'])).map("".join), st.integers(1, 9))
def test_a_list_is_broken_where_python_says_so(tmp_path: Path, text: str, chunk: int) -> None:
    path = tmp_path / "x.json"
    path.write_text(f"[{text}")
    try:
        json.loads(f"[{text}")
    except json.JSONDecodeError as e:
        place = f"x.json:{e.lineno}: broken JSON: {e.msg}, column {e.colno}"
    else:
        place = ""
    with patch.object(index, "FIRST_CHUNK", chunk), patch.object(index, "CHUNK", chunk):
        try:
            len(ElementRows(path))
        except WorkbenchError as e:
            assert place and str(e).endswith(place)
        else:
            assert not place


def test_the_first_elements_of_a_big_list_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[" + '{"a": 1},\n' * 20_000 + '{"a": 2}, {"a": }]')
    rows = ElementRows(path)
    assert 0 < rows.known < 20_000 and not rows.complete
    assert rows[20_000] == {"a": 2}
    with pytest.raises(WorkbenchError, match="x.json:20001: broken JSON: Expecting value, column 17"):
        rows.build()
    assert rows[7] == {"a": 1}


def test_the_first_records_of_a_big_csv_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + '1,"two\nlines"\n' * 20_000 + '"open\n')
    found = IndexedRecords(path, ",")
    assert 0 < found.known < 20_000 and not found.complete
    assert found[20_000] == b'1,"two\nlines"\n'
    with pytest.raises(WorkbenchError, match="x.csv:40002: a quote .* never closed .1 lines"):
        found.build()
    assert found[1] == b'1,"two\nlines"\n'


@pytest.mark.parametrize("text", ['a,b\n"1\n' + "2,3\n" * 500, "a,b\n" + "x" * 2000])
def test_a_record_without_an_end_is_not_followed_for_ever(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    monkeypatch.setattr("workbench.data.files.record_index._LONGEST", 400)
    with patch.object(index, "FIRST_CHUNK", 100), patch.object(index, "CHUNK", 100):
        found = IndexedRecords(path, ",")
        assert found[0] == b"a,b\n"
        with pytest.raises(WorkbenchError, match="x.csv:2: the record that begins here takes more than"):
            found.build()


def test_the_first_rows_are_there_before_the_index_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"%07d\n" * 500_000 % tuple(range(500_000)))
    lines = IndexedLines(path)
    assert not lines.complete
    assert 0 < lines.known < 500_000
    assert lines[0] == b"0000000"
    assert lines[300_000] == b"0300000"  # asked for: indexed as far as that
    assert lines.known < 500_000
    assert len(lines) == 500_000 and lines.complete


def test_building_tells_its_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"line\n" * 1_000_000)
    lines = IndexedLines(path)
    lines.build(cancelled=lambda: lines.known > 300_000)
    assert 300_000 < lines.known < 1_000_000
    told: list[float] = []
    lines.build(told.append)
    assert told[-1] == 1.0 and told == sorted(told)
    assert lines.known == 1_000_000


def test_many_threads_read_what_another_one_is_indexing(tmp_path: Path) -> None:
    count = 400_000
    path = tmp_path / "x"
    path.write_bytes(b"%09d\n" * count % tuple(range(count)))
    lines = IndexedLines(path)

    def read(start: int) -> bool:
        return all(lines[i] == b"%09d" % i for i in range(start, count, 397))

    with ThreadPoolExecutor(6) as pool:
        built = [pool.submit(lines.build) for _ in range(2)]
        assert all(pool.map(read, range(4)))
        assert [future.result() for future in built] == [None, None]
    assert len(lines) == count


def test_a_closed_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\n")
    lines = IndexedLines(path)
    lines.close()
    with pytest.raises(WorkbenchError, match="has been closed"):
        lines[0]
