"""A mapping proposed from the first rows: known shapes are mapped so that their rows become examples."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from workbench.data.detect import propose
from workbench.data.example import Example, Origin
from workbench.data.mapping import Mapper
from workbench.errors import WorkbenchError
from workbench.project.schema import Source

OPENAI = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def file_of(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize(
    ("row", "user", "answer"),
    [
        ({"instruction": "q", "input": "more", "output": "a"}, "q\n\nmore", "a"),
        ({"id": 1, "instruction": "q", "output": "a"}, "q", "a"),
        ({"instruction": "q", "context": "", "response": "a", "category": "qa"}, "q", "a"),
        ({"prompt": "q\n\n###\n\n", "completion": " a END"}, "q", "a"),
        ({"prompt": "q", "response": "a"}, "q", "a"),
        ({"Question": "q", "Answer": "a"}, "q", "a"),
        ({"title": "q", "text": "a", "url": "u"}, "Write a text with the following title.\n\nq", "a"),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, "q", "a"),
        ({"conversation": [{"user": "human", "text": "q"}, {"user": "assistant", "text": "a"}]}, "q", "a"),
        ({"messages": OPENAI}, "q", "a"),
        ({"prompt": "q", "prompt_id": "1", "messages": OPENAI}, "q", "a"),
        ({"tools": [{"name": "x"}], "talk": OPENAI}, "q", "a"),
    ],
)
def test_known_shapes(tmp_path: Path, row: dict[str, Any], user: str, answer: str) -> None:
    table = propose(file_of(tmp_path, row, row)).table
    source: Source = TypeAdapter(Source).validate_python(table)
    made = Mapper(source).map(row, Origin(0, 0))
    assert isinstance(made, Example)
    assert [message.content for message in made.messages] == [user, answer]
    assert Path(table["path"]) == tmp_path / "rows.jsonl"


def test_a_system_column_becomes_the_system_message(tmp_path: Path) -> None:
    table = propose(file_of(tmp_path, {"system": "s", "instruction": "q", "input": "", "output": "a"})).table
    assert table["system"] == "{system}"


def test_a_mark_is_cut_only_when_every_row_has_it(tmp_path: Path) -> None:
    rows = [{"prompt": "one ->", "completion": "a END"}, {"prompt": "two", "completion": "b END"}]
    table = propose(file_of(tmp_path, *rows)).table
    assert "strip_user" not in table and table["strip_assistant"] == [" END"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"alpha": 1, "beta": [2]}\n', "unknown shape, columns: alpha, beta"),
        ('{"messages": [{"role": "martian", "content": "x"}]}\n', "unknown shape, columns: messages"),
        ('{"prompt": [{"role": "x"}], "completion": []}\n', "unknown shape, columns: prompt, completion"),
        ("{\n{\n", "none of the first rows can be read: broken JSON"),
        ('[\n{"instruction": "q"}\n]\n', "it looks like a JSON list: name it .json"),
        ("", "the file is empty"),
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


def test_broken_rows_at_the_front_do_not_hide_the_shape(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('\n{\n{"question": "q", "answer": "a"}\n')
    assert propose(path).table["assistant"] == "{answer}"
