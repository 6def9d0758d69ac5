"""Formats that a source adds: lists inside of JSON objects, text, tables without a header, Arrow."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.files.rows import NOT_UTF8, RowError, Rows, open_rows
from workbench.data.files.sources import open_source
from workbench.errors import WorkbenchError
from workbench.project.source import SourceTable

SQUAD = {
    "version": "1.1",
    "data": [
        {
            "title": "Tea",
            "paragraphs": [
                {
                    "context": "Tea is old.",
                    "qas": [
                        {"id": "1", "question": "How old?", "answers": [{"text": "old", "answer_start": 7}]},
                        {"id": "2", "question": "Is it?", "answers": []},
                    ],
                },
                {"context": "No questions."},
            ],
        },
        {
            "title": "Rice",
            "paragraphs": [{"context": "Rice.", "qas": [{"id": "3", "title": "own", "question": "?"}]}],
        },
    ],
}


def written(path: Path, data: object) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else str(data).encode())
    return path


def outcomes(rows: Rows) -> list[object]:
    return [row.reason if isinstance(row, RowError) else row for row in rows.scan()]


def problem(path: Path, nested: str = "", columns: tuple[str, ...] = ()) -> str:
    with pytest.raises(WorkbenchError) as caught:
        open_rows(path, nested, columns)
    return str(caught.value)


# Lists inside of JSON


def test_rows_inside_of_objects_inherit_the_plain_values_around_them(tmp_path: Path) -> None:
    rows = open_rows(written(tmp_path / "squad.json", json.dumps(SQUAD)), "data.paragraphs.qas")
    assert len(rows) == 3
    assert rows[0] == {
        "version": "1.1",
        "title": "Tea",
        "context": "Tea is old.",
        "id": "1",
        "question": "How old?",
        "answers": [{"text": "old", "answer_start": 7}],
    }
    assert rows[2]["title"] == "own"  # a row's own value is over that of the article
    assert [row["id"] for row in rows.scan() if isinstance(row, dict)] == ["1", "2", "3"]
    for i in (-1, 3):
        with pytest.raises(IndexError):
            rows[i]


def test_a_path_may_end_at_objects_or_at_values_that_are_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", '[{"a": {"b": 1}}, {"a": null}, {"c": 0}, {"a": [2, {"b": 3}]}]')
    assert outcomes(open_rows(path, "a")) == [{"b": 1}, "not an object", {"b": 3}]
    assert outcomes(open_rows(written(tmp_path / "y.json", '{"a": []}'), "a")) == []


@pytest.mark.parametrize(
    ("nested", "expected"),
    [
        (
            "data.paragraph.qas",
            'no "paragraph" in "data"; did you mean "paragraphs"? keys there: title, para',
        ),
        ("paragraphs", 'no "paragraphs" in the top; keys there: version, data'),
        ("data.title.x", 'no "x" in "data.title", which holds text'),
        ("data..qas", 'no "" in "data"'),
    ],
)
def test_a_path_that_leads_to_nothing_names_what_is_there(tmp_path: Path, nested: str, expected: str) -> None:
    assert expected in problem(written(tmp_path / "squad.json", json.dumps(SQUAD)), nested)


def test_the_only_list_of_objects_is_proposed(tmp_path: Path) -> None:
    one = problem(written(tmp_path / "x.json", '{"names": ["a"], "items": [{"a": 1}]}'))
    assert 'rows = "items"' in one and "lists inside it: names, items" in one
    assert "rows =" not in problem(written(tmp_path / "y.json", '{"a": [{}], "b": [{}]}'))


JSON = st.recursive(
    st.none() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join))
def test_any_path_in_any_json_ends_in_rows_or_an_error(tmp_path: Path, value: object, nested: str) -> None:
    path = written(tmp_path / "x.json", json.dumps(value))
    try:
        rows = open_rows(path, nested)
    except WorkbenchError as e:
        assert "x.json" in str(e)
        return
    assert len(outcomes(rows)) == len(rows)


# Text and tables without a header


def test_a_text_file_is_one_row_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "x.txt", b"\xef\xbb\xbfone\r\n\r\n  two\t2\n\xff\nlast")
    rows = open_rows(path)
    assert outcomes(rows) == [
        {"text": "one"},
        "empty line",
        {"text": "  two\t2"},
        NOT_UTF8,
        {"text": "last"},
    ]
    with pytest.raises(RowError, match="line 4: byte 1"):
        rows[3]


def test_columns_cut_a_text_file_at_tabs(tmp_path: Path) -> None:
    path = written(tmp_path / "x.txt", 'Hi "you __eou__\t1\t0 4\nno tab\n\t\t\n')
    rows = open_rows(path, columns=("dialog", "topic", "emotion"))
    assert outcomes(rows) == [
        {"dialog": 'Hi "you __eou__', "topic": "1", "emotion": "0 4"},
        "wrong number of columns",
        "empty line",
    ]
    with pytest.raises(RowError, match="line 2: 1 instead of 3"):
        rows[1]


@pytest.mark.parametrize(("name", "text"), [("x.csv", '1,"a\nb"\n2,c\n'), ("x.tsv", '1\t"a\nb"\n2\tc\n')])
def test_columns_name_those_of_a_table_without_a_header(tmp_path: Path, name: str, text: str) -> None:
    rows = open_rows(written(tmp_path / name, text), columns=("n", "text"))
    assert outcomes(rows) == [{"n": "1", "text": "a\nb"}, {"n": "2", "text": "c"}]
    assert len(rows) == 2


def test_an_open_quote_in_a_tsv_tells_how_to_read_it_without_quotes(tmp_path: Path) -> None:
    assert "name the file .txt" in problem(written(tmp_path / "x.tsv", 'a\tb\n"1\t2\n'))


# Arrow and parquet


@pytest.mark.parametrize("form", ["stream", "file"])
def test_arrow_of_both_forms(tmp_path: Path, form: str) -> None:
    import pyarrow as pa

    table = pa.table({"i": range(700), "turns": [[{"role": "user"}]] * 700})
    make = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
    with make(tmp_path / "x.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=300)
    rows = open_rows(tmp_path / "x.arrow")
    assert len(rows) == 700
    for i in (699, 0, 299, 300, 650):
        assert rows[i] == {"i": i, "turns": [{"role": "user"}]}
    assert [row["i"] for row in rows.scan() if isinstance(row, dict)] == list(range(700))
    rows.close()


def test_what_datasets_saves_is_read_in_its_order_without_its_caches(tmp_path: Path) -> None:
    import pyarrow as pa

    folder = tmp_path / "saved/train"
    folder.mkdir(parents=True)
    for name, value in (("data-1.arrow", 1), ("data-0.arrow", 0), ("cache-ab.arrow", 9)):
        table = pa.table({"a": [value]})
        with pa.ipc.new_stream(folder / name, table.schema) as writer:
            writer.write_table(table)
    listed = [{"filename": "data-1.arrow"}, {"filename": "data-0.arrow"}]
    written(folder / "state.json", json.dumps({"_data_files": listed}))
    written(folder / "dataset_info.json", "{}")
    written(tmp_path / "saved/dataset_dict.json", json.dumps({"splits": ["train"]}))
    rows = open_source(SourceTable(path="saved/train"), tmp_path)
    assert outcomes(rows) == [{"a": 1}, {"a": 0}]
    with pytest.raises(WorkbenchError, match="holds the splits train; name one of them: saved/train"):
        open_source(SourceTable(path="saved"), tmp_path)


def test_a_big_row_group_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr("workbench.data.files.parquet._BATCH_BYTES", 1000)
    table = pa.table({"i": range(1000), "text": [f"text of row {i}" * 3 for i in range(1000)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=400)
    rows = open_rows(tmp_path / "x.parquet")
    for i in (0, 999, 399, 400, 0, 1, 700, 701, 650, 401):
        assert rows[i] == {"i": i, "text": f"text of row {i}" * 3}
    assert [row["i"] for row in rows.scan() if isinstance(row, dict)] == list(range(1000))


def test_what_is_no_arrow(tmp_path: Path) -> None:
    import pyarrow as pa

    assert "cannot be read as Arrow" in problem(written(tmp_path / "x.arrow", "some text"))
    assert "cannot be read as Arrow" in problem(written(tmp_path / "y.arrow", b"ARROW1\0\0nothing more"))
    words = pa.table({"a": pa.array(["x", "y"]).dictionary_encode()})
    with pa.ipc.new_stream(tmp_path / "z.arrow", words.schema) as writer:
        writer.write_table(words)
    assert "save it as parquet" in problem(tmp_path / "z.arrow")
