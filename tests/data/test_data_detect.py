"""A mapping proposed from the first rows: known shapes are mapped so that their rows become examples."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from workbench.data.detect.propose import Proposal, propose
from workbench.data.example import Example, Rejected
from workbench.errors import WorkbenchError
from workbench.project.source import Source

OPENAI = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
EMOTIONAL = [
    {"role": each["role"], "content": {"emotion": "joy", "dialog": each["content"]}} for each in OPENAI
]


def file_of(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def made(proposal: Proposal, row: int = 0) -> list[str]:
    """The messages of one of the rows that the proposal shows."""
    TypeAdapter(Source).validate_python(proposal.table)
    _, outcome = proposal.rows[row]
    assert isinstance(outcome, Example), outcome
    return [message.content for message in outcome.messages]


@pytest.mark.parametrize(
    ("row", "user", "answer"),
    [
        ({"instruction": "q", "input": "more", "output": "a"}, "q\n\nmore", "a"),
        ({"id": 1, "instruction": "q", "output": "a"}, "q", "a"),
        ({"instruction": "q", "context": "", "response": "a", "category": "qa"}, "q", "a"),
        ({"prompt": "q\n\n###\n\n", "completion": " a END"}, "q", "a"),
        ({"prompt": "q ->", "completion": " a\n"}, "q", "a"),
        ({"prompt": "q", "response": "a"}, "q", "a"),
        ({"Question": "q", "Answer": "a"}, "q", "a"),
        ({"context": "c", "question": "q", "answer": 4}, "c\n\nq", "4"),
        ({"question": "q", "answers": [{"text": "a"}]}, "q", "a"),
        ({"context": "c", "question": "q", "answers": {"text": ["a", "b"]}}, "c\n\nq", "a"),
        ({"prompt": "q", "rejected": "b", "chosen": "a"}, "q", "a"),
        ({"prompt": "q", "rejected": OPENAI[:1], "chosen": OPENAI}, "q", "a"),
        ({"title": "q", "text": "a", "url": "u"}, "Write a text with the following title.\n\nq", "a"),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, "q", "a"),
        ({"conversation": [{"user": "human", "text": "q"}, {"user": "assistant", "text": "a"}]}, "q", "a"),
        ({"messages": OPENAI}, "q", "a"),
        ({"prompt": "q", "prompt_id": "1", "messages": OPENAI}, "q", "a"),
        ({"tools": [{"name": "x"}], "talk": OPENAI}, "q", "a"),
        ({"messages": EMOTIONAL}, "q", "a"),
        ({"messages": [{"role": "customer", "content": "q"}, {"role": "Agent", "content": "a"}]}, "q", "a"),
        ({"dialog": ["q", "a"]}, "q", "a"),
        ({"talk": ["How are you?", "Very well, thank you."]}, "How are you?", "Very well, thank you."),
        ({"text": "q __eou__ a __eou__"}, "q", "a"),
    ],
)
def test_known_shapes(tmp_path: Path, row: dict[str, Any], user: str, answer: str) -> None:
    proposal = propose(file_of(tmp_path, row, row))
    assert made(proposal) == [user, answer]
    assert Path(proposal.table["path"]) == tmp_path / "rows.jsonl"
    assert proposal.rows[0][0] == row and proposal.why


def test_a_column_of_text_is_trained_on_as_it_stands(tmp_path: Path) -> None:
    proposal = propose(
        file_of(tmp_path, *({"id": str(n), "body": f"A text {n}.", "url": "u"} for n in range(5)))
    )
    assert proposal.table["kind"] == "text" and made(proposal, 2) == ["A text 2."]
    assert len(proposal.rows) == 3


def test_a_system_column_becomes_the_system_message(tmp_path: Path) -> None:
    proposal = propose(file_of(tmp_path, {"system": "s", "instruction": "q", "input": "", "output": "a"}))
    assert proposal.table["system"] == "{system}" and made(proposal)[0] == "s"


def test_a_mark_is_cut_only_when_every_row_has_it(tmp_path: Path) -> None:
    rows = [{"prompt": "one ->", "completion": "a END"}, {"prompt": "two", "completion": "b END"}]
    table = propose(file_of(tmp_path, *rows)).table
    assert "strip_user" not in table and table["strip_assistant"] == [" END"]


def test_marks_are_found_in_the_data_and_the_ends_of_sentences_are_none(tmp_path: Path) -> None:
    rows = [{"prompt": f"Is it {n}?\n=====\n", "completion": f" No.\n##{n % 2}##"} for n in range(4)]
    table = propose(file_of(tmp_path, *rows)).table
    assert table["strip_user"] == ["\n=====\n"] and table["strip_assistant"] == ["##"]
    table = propose(
        file_of(tmp_path, *({"prompt": f"Is it {n}?", "completion": "no."} for n in range(4)))
    ).table
    assert "strip_user" not in table and "strip_assistant" not in table


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "instruction": "q"},
        {"instruction": "q", "input": ""},
        {"instruction": "q", "output": ""},
        {"messages": OPENAI[:1]},
    ],
)
def test_rows_without_an_answer_are_for_testing(tmp_path: Path, row: dict[str, Any]) -> None:
    proposal = propose(file_of(tmp_path, row, row))
    assert proposal.table["split"] == "test" and made(proposal) == ["q"]


def test_one_odd_row_does_not_hide_the_shape_and_is_named(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"question": "q", "answer": "a", "note": "n"} for _ in range(9)]
    rows[4]["answer"] = ["a"]
    proposal = propose(file_of(tmp_path, *rows))
    assert made(proposal) == ["q", "a"]
    assert "not used: note" in proposal.why
    assert '1 of the first 9 rows cannot be used, row 4: "answer" is not text: it is a list' in proposal.why


def test_a_row_that_is_shown_may_be_rejected(tmp_path: Path) -> None:
    proposal = propose(file_of(tmp_path, {"question": "", "answer": "a"}, {"question": "q", "answer": "a"}))
    assert isinstance(proposal.rows[0][1], Rejected) and made(proposal, 1) == ["q", "a"]


def test_rows_inside_an_object(tmp_path: Path) -> None:
    qas = [
        {"question": f"q{n}", "id": str(n), "answers": [{"text": f"a{n}", "answer_start": n}]}
        for n in range(2)
    ]
    path = tmp_path / "squad.json"
    path.write_text(
        json.dumps({"version": "1", "data": [{"title": "t", "paragraphs": [{"context": "c", "qas": qas}]}]})
    )
    proposal = propose(path)
    assert proposal.table["rows"] == "data.paragraphs.qas" and proposal.table["group"] == "title"
    assert made(proposal, 1) == ["c\n\nq1", "a1"]
    path.write_text(
        json.dumps({"meta": [{}], "n": [1], "train": {"rows": [{"prompt": "q", "response": "a"}]}})
    )
    assert propose(path).table["rows"] == "train.rows"


# DailyDialog

LINES = ["Hi . __eou__ Hello . __eou__", "Oh no ! __eou__ Calm down . __eou__ I am calm . __eou__"]


def test_parallel_files_beside_a_text(tmp_path: Path) -> None:
    for name, lines in {
        "dialogues_text.txt": LINES,
        "dialogues_emotion.txt": ["0 4", "6 0 1 "],
        "dialogues_action.txt": ["1 2", "3 4 1"],
        "dialogues_topic.txt": ["1", "2"],
        "dialogues_other.txt": ["0 4"],
        "notes.txt": ["two", "lines"],
    }.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "folder.txt").mkdir()
    proposal = propose(tmp_path / "dialogues_text.txt")
    assert proposal.table["beside"] == {
        "act": str(tmp_path / "dialogues_action.txt"),
        "emotion": str(tmp_path / "dialogues_emotion.txt"),
    }
    assert proposal.table["labels"]["emotion"][4] == "happiness"
    assert proposal.table["labels"]["act"][1] == "inform"
    assert made(proposal) == ["Hi .", "Hello ."]
    assert isinstance(example := proposal.rows[0][1], Example)
    assert dict(example.tags) == {"act": "question", "emotion": "happiness"}


@pytest.mark.parametrize("name", ["human.txt", "human.tsv"])
def test_four_columns_behind_tabs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(f"{LINES[0]}\t5\t1 2\t0 4\n{LINES[1]}\t1\t3 3 3\t6 0 1\n{LINES[0]}\t5\t1 2\t0 0\n")
    proposal = propose(path)
    assert proposal.table["columns"] == ["dialog", "topic", "act", "emotion"]
    assert set(proposal.table["labels"]) == {"act", "emotion"}
    assert made(proposal, 1) == ["Oh no !", "Calm down ."]
    assert len(proposal.rows) == 3


def test_lists_with_parallel_labels(tmp_path: Path) -> None:
    row = {
        "dialog": ["Hi .", "Hello ."],
        "act": [1, 2],
        "emotion": [0, 9],
        "mood": ["calm", "glad"],
        "n": [1],
    }
    proposal = propose(file_of(tmp_path, row, row))
    act = ["none", "inform", "question", "directive", "commissive"]
    assert proposal.table["labels"] == {"act": act, "emotion": [], "mood": []}
    assert made(proposal) == ["Hi .", "Hello ."]


def test_pairs_behind_a_tab_and_lines_of_text(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("hello\tbonjour\nodd\nbye\tau revoir\n")
    assert made(propose(path)) == ["hello", "bonjour"]
    path.write_text("one line\nanother\n")
    assert propose(path).table["kind"] == "text"


def test_what_is_rejected_of_preferences_is_said_to_be_unused(tmp_path: Path) -> None:
    row = {"prompt": "q", "chosen": "a", "rejected": "b"}
    proposal = propose(file_of(tmp_path, row, row))
    assert proposal.table["assistant"] == "{chosen}" and "split" not in proposal.table
    assert "the chosen one is trained; not used: rejected" in proposal.why


@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_a_first_line_that_is_a_row_names_no_columns(tmp_path: Path, name: str) -> None:
    tab = "\t" if name == "x.tsv" else ","
    path = tmp_path / name
    path.write_text(f"How do I reset it?{tab}Hold the button for ten seconds.\nWhy?{tab}Because.\n")
    proposal = propose(path)
    assert proposal.table["columns"] == ["input", "output"] and "the first line is a row" in proposal.why
    assert made(proposal) == ["How do I reset it?", "Hold the button for ten seconds."]
    path.write_text(f"1{tab}How do I?{tab}So.\n2{tab}Why?{tab}Because.\n")
    with pytest.raises(
        WorkbenchError, match=r"3 columns without names, .* 1 \| How do I\? \| So\.; .*columns = "
    ):
        propose(path)
    path.write_text(f"question{tab}answer{tab}No.\nHow?{tab}So.{tab}1\n")
    assert "columns" not in propose(path).table
    path.write_text(f"0{tab}1{tab}2\nHow?{tab}So.{tab}Yes.\n")
    with pytest.raises(WorkbenchError, match="unknown shape, columns: 0, 1, 2"):
        propose(path)
    path.write_text(f"Yes{tab}Yes\nNo{tab}No\n")
    with pytest.raises(WorkbenchError, match=r"two columns are named 'Yes' .* columns = \["):
        propose(path)


def test_two_texts_of_any_name_are_guessed_to_ask_and_to_answer(tmp_path: Path) -> None:
    rows = [{"id": n, "frage": f"Was ist {n}?", "antwort": f"Es ist {n}."} for n in range(3)]
    proposal = propose(file_of(tmp_path, *rows))
    assert made(proposal) == ["Was ist 0?", "Es ist 0."]
    assert 'a guess: the only two columns of text, of which "frage" asks' in proposal.why
    with pytest.raises(WorkbenchError, match="unknown shape") as refused:
        propose(file_of(tmp_path, *({**row, "notiz": "n"} for row in rows)))
    assert 'user = ["{frage}"], assistant = "{antwort}"' in str(refused.value)


def test_a_column_that_some_rows_lack_may_be_lacking(tmp_path: Path) -> None:
    rows = [{"instruction": "q", "output": "a"}, {"instruction": "q", "input": "more", "output": "a"}]
    proposal = propose(file_of(tmp_path, *rows))
    assert proposal.table["user"] == ["{instruction}", "{input?}"] and "not used" not in proposal.why
    assert made(proposal) == ["q", "a"] and made(proposal, 1) == ["q\n\nmore", "a"]


def test_turns_as_json_in_a_cell(tmp_path: Path) -> None:
    proposal = propose(file_of(tmp_path, {"id": 1, "messages": json.dumps(OPENAI)}))
    assert proposal.table["kind"] == "messages" and made(proposal) == ["q", "a"]


def test_bytes_that_are_no_text_are_refused_though_a_line_of_them_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"\x80\n\x81\nok\n")
    with pytest.raises(WorkbenchError, match="2 of the first 3 rows are not UTF-8"):
        propose(path)


def test_lines_that_are_json_but_no_objects(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="not an object: line 1: the row is a list; a row is an object"):
        propose(file_of(tmp_path, OPENAI, OPENAI))
    with pytest.raises(WorkbenchError, match="it looks like a JSON list: name it .json"):
        propose(file_of(tmp_path, OPENAI))


def test_rows_in_another_encoding_are_counted_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("question,answer\nOù ?,Là.\nQui ?,Moi.\n".encode("latin-1"))
    why = (
        "1 of the first 2 rows cannot be used, row 0: not UTF-8 (save the file as UTF-8): record 2: byte 2 of"
    )
    assert why in propose(path).why
    path = tmp_path / "x.jsonl"
    path.write_bytes('{"question": "Où ?"}\n'.encode("latin-1"))
    with pytest.raises(
        WorkbenchError, match=r"x.jsonl: none of the first rows can be read: not UTF-8 \(save the"
    ):
        propose(path)


def test_where_a_missing_file_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("nope.jsonl", "*.jsonl"):
        with pytest.raises(WorkbenchError, match=f"relative paths are seen from {tmp_path}"):
            propose(Path(name))


# files


def test_packed_columnar_and_many_files(tmp_path: Path) -> None:
    rows = [{"question": "q", "answer": "a"}] * 2
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    (tmp_path / "folder").mkdir()
    for n in range(2):
        (tmp_path / "folder" / f"{n}.jsonl").write_text(text)
    for path in ("x.jsonl.gz", "x.parquet", "folder", "folder/*.jsonl"):
        assert made(propose(tmp_path / path)) == ["q", "a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"alpha": 1, "beta": [2]}\n', "unknown shape, columns: alpha, beta"),
        ('{"messages": [{"role": "martian", "content": "x"}]}\n', "unknown shape, columns: messages"),
        ('{"prompt": [{"role": "x"}], "completion": []}\n', "unknown shape, columns: prompt, completion"),
        ("{\n{\n", "none of the first rows can be read: broken JSON"),
        ('[\n{"instruction": "q"}\n]\n', "it looks like a JSON list: name it .json"),
        ("", "the file is empty"),
        ('{"step": 1, "elapsed_tokens": 8, "training_loss": 1.5}', "this is a results table of a run, not"),
    ],
)
def test_unknown_shapes_name_what_was_found(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    if "JSON list" in expected:
        path.write_text(text.replace('{"instruction": "q"}', "{"))
    with pytest.raises(WorkbenchError) as caught:
        propose(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "header", ["step,elapsed_tokens,elapsed_examples,training_loss,validation_loss", "Step,Training Loss"]
)
def test_results_of_a_run_are_no_training_data(tmp_path: Path, header: str) -> None:
    path = tmp_path / "compiled_results.csv"
    cells = header.count(",")
    path.write_text(f"{header}\n1{',0.5' * (cells - 1)},\n2{',1e-05' * cells}\n")
    with pytest.raises(WorkbenchError, match="this is a results table of a run, not training data"):
        propose(path)


def test_labels_alone_are_no_training_data(tmp_path: Path) -> None:
    path = tmp_path / "emotion.txt"
    path.write_text("0 0 1\n2 0\n")
    with pytest.raises(WorkbenchError, match="holds only numbers, such as labels for the lines of another"):
        propose(path)


def test_broken_rows_at_the_front_do_not_hide_the_shape(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('\n{\n{"question": "q", "answer": "a"}\n')
    proposal = propose(path)
    assert proposal.table["assistant"] == "{answer}"
    assert proposal.rows[0][1].origin.row == 2


KEYS = [
    "messages",
    "instruction",
    "output",
    "dialog",
    "emotion",
    "text",
    "answers",
    "question",
    "role",
    "content",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["user", "a __eou__ b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), max_size=4),
    st.sampled_from(["x.json", "x.jsonl", "x.txt", "x.tsv"]),
    st.booleans(),
)
def test_any_rows_are_proposed_or_refused(tmp_path: Path, rows: list[Any], name: str, inside: bool) -> None:
    path = tmp_path / name
    whole = {"data": rows} if inside else rows
    path.write_text(json.dumps(whole) if name.endswith("n") else "\n".join(map(json.dumps, rows)))
    try:
        proposal = propose(path)
    except WorkbenchError as e:
        assert e.problems
    else:
        assert proposal.why and 0 < len(proposal.rows) <= 3
        TypeAdapter(Source).validate_python(proposal.table)
