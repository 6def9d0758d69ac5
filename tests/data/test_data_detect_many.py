"""Folders and globs: one source for each shape of file, and what names say that files are for."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from workbench.data.detect.many_files import propose_all
from workbench.data.files.sources import data_files
from workbench.errors import WorkbenchError

PAIR = {"instruction": "q", "output": "a"}
TURNS = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
DIALOGUES = "Hi . __eou__ Hello . __eou__\nOh no ! __eou__ Calm down . __eou__ I am calm . __eou__\n"


def write(folder: Path, name: str, *rows: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def names(folder: Path, among_others: bool = False) -> list[tuple[str, str]]:
    """Path inside the folder and split of each proposal."""
    tables = [proposal.table for proposal in propose_all([folder], among_others).proposals]
    return [(table["path"].removeprefix(f"{folder}/"), table.get("split", "")) for table in tables]


def test_files_of_several_shapes_are_several_sources(tmp_path: Path) -> None:
    write(tmp_path, "tone.jsonl", TURNS)
    for shard in "123":
        write(tmp_path, f"pairs-{shard}.jsonl", PAIR)
    (tmp_path / "odd.jsonl").write_text('{"x": 1}')
    proposed = propose_all([tmp_path])
    assert [proposal.table["kind"] for proposal in proposed.proposals] == ["fields", "messages"]
    pattern = proposed.proposals[0].table["path"]
    assert [path.name for path in data_files(pattern, Path())] == [f"pairs-{n}.jsonl" for n in "123"]
    assert proposed.proposals[0].why.startswith("3 files alike: ")
    assert [problem.where for problem in proposed.left_out] == [str(tmp_path / "odd.jsonl")]


def test_alike_files_stay_a_folder_and_files_that_no_pattern_tells_apart_are_named(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / "[x]", name, PAIR)
    assert names(tmp_path) == [(str(tmp_path), "")]
    write(tmp_path / "[x]", "ab.jsonl", TURNS)
    assert names(tmp_path / "[x]") == [("a.jsonl", ""), ("b.jsonl", ""), ("ab.jsonl", "")]
    (tmp_path / "[x]" / "c.jsonl").write_text('\n{"instruction": "q"}\n')
    assert len(propose_all([tmp_path / "[[]x]" / "?.jsonl"]).proposals) == 3


def test_what_is_wrong_with_some_of_many_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", PAIR)
    write(tmp_path, "b.jsonl", PAIR, {"instruction": "q", "output": ""})
    (proposal,) = propose_all([tmp_path]).proposals
    assert (
        "b.jsonl: columns instruction, output: instruction and output; 1 of the first 2 rows" in proposal.why
    )


def test_names_say_what_files_are_for(tmp_path: Path) -> None:
    write(tmp_path, "private_test.jsonl", {"instruction": "q"})
    for name in ("public_test.jsonl", "train.jsonl", "EvalSet.jsonl", "contest/latest.jsonl", "dev/0.jsonl"):
        write(tmp_path, name, PAIR)
    assert names(tmp_path) == [
        ("contest/latest.jsonl", ""),
        ("train.jsonl", ""),
        ("private_test.jsonl", "test"),
        ("public_test.jsonl", "test"),
        ("EvalSet.jsonl", "validation"),
        ("dev/0.jsonl", "validation"),
    ]
    why = next(each.why for each in propose_all([tmp_path]).proposals if "public" in each.table["path"])
    assert why.endswith('its name says test: split = "test"')


def test_a_file_alone_is_trained_on_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "test.jsonl", PAIR)
    assert names(path) == [(str(path), "")]
    assert names(path, among_others=True) == [(str(path), "test")]
    train = write(tmp_path, "x.jsonl", PAIR)
    tables = [proposal.table for proposal in propose_all([path, train]).proposals]
    assert [table.get("split") for table in tables] == [None, "test"]


def test_labels_and_notes_beside_a_text_are_no_sources(tmp_path: Path) -> None:
    for name, text in {
        "d_text.txt": DIALOGUES,
        "d_emotion.txt": "0 4\n6 0 1\n",
        "d_topic.txt": "1\n2\n",
        "SOURCE.txt": "Where it is from.\n",
    }.items():
        (tmp_path / name).write_text(text)
    proposed = propose_all([tmp_path])
    (proposal,) = proposed.proposals
    assert proposal.table["path"] == str(tmp_path / "d_text.txt")
    assert proposal.table["beside"] == {"emotion": str(tmp_path / "d_emotion.txt")}
    assert sorted(Path(each.where).name for each in proposed.left_out) == ["SOURCE.txt", "d_topic.txt"]


def test_a_nested_file_in_a_folder(tmp_path: Path) -> None:
    qas = [{"question": "q", "answers": [{"text": "a"}]}]
    write(tmp_path, "squad.json", {"data": [{"paragraphs": [{"context": "c", "qas": qas}]}]})
    (tmp_path / "SOURCE.txt").write_text("x\n")
    (proposal,) = propose_all([tmp_path]).proposals
    assert proposal.table["rows"] == "data.paragraphs.qas"
    assert proposal.table["path"] == str(tmp_path / "squad.json")


def test_a_folder_of_nothing_usable_says_why(tmp_path: Path) -> None:
    for n in range(7):
        (tmp_path / f"{n}.jsonl").write_text('{"x": 1}')
    with pytest.raises(WorkbenchError) as caught:
        propose_all([tmp_path, tmp_path / "none.jsonl"])
    told = [problem.what for problem in caught.value.problems]
    assert told == ["unknown shape, columns: x"] * 5 + ["… and 2 more", "no such file"]


def test_very_many_files_are_told_from_the_first(tmp_path: Path) -> None:
    for n in range(101):
        write(tmp_path, f"{n}.jsonl", PAIR)
    (proposal,) = propose_all([tmp_path]).proposals
    assert proposal.table["path"] == str(tmp_path) and "101 files, told from the first" in proposal.why


def test_a_name_that_is_not_utf8_is_refused_with_a_hint(tmp_path: Path) -> None:
    file = Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.jsonl"))
    file.write_text('{"question": "Who?", "answer": "I."}\n')
    for named in (file, tmp_path):
        with pytest.raises(WorkbenchError, match=r"name is not UTF-8.*rename it"):
            propose_all([named])
