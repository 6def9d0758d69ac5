"""Votes and corrected answers become rows to train on, with their provenance, and none is lost in silence."""

import json
from pathlib import Path

from workbench.data.dataset import open_dataset
from workbench.data.example import Example, Message, Origin
from workbench.evaluation.corrections import correct, read_corrections
from workbench.evaluation.exports import corrected_rows, preference_rows, write_rows
from workbench.evaluation.votes import Choice, Vote
from workbench.project.store import open_project

ASKED = {(0, row): [Message("user", f"Question {row}?")] for row in range(6)}


def given(row: int, choice: Choice, rater: str = "") -> Vote:
    return Vote(source=0, row=row, time=0.0, left="base", right="tuned", vote=choice, rater=rater)


def test_votes_become_preferences(tmp_path: Path) -> None:
    answers = {key: {"base": f"b{key[1]}", "tuned": f"t{key[1]} "} for key in ASKED}
    answers[0, 4] = {"base": "same", "tuned": "same "}
    del answers[0, 5]["tuned"]
    votes = [
        given(0, "A", "Ada"),
        *(given(1, "B", "Ada"), given(1, "B", "Bob"), given(1, "A", "Eve"), given(1, "tie", "Joe")),
        *(given(2, "A", "Ada"), given(2, "B", "Bob")),
        given(3, "both bad"),
        given(4, "A"),
        given(5, "A"),
    ]
    exported = preference_rows(votes, ASKED, answers, "e1")
    assert exported.left_out == {
        "nobody was preferred": 2,
        "both answers are the same": 1,
        "an answer is missing": 1,
    }
    first, second = exported.rows
    assert first["prompt"] == [{"role": "user", "content": "Question 0?"}]
    assert first["chosen"] == [{"role": "assistant", "content": "b0"}]
    assert first["rejected"] == [{"role": "assistant", "content": "t0"}]
    assert second["chosen"][0]["content"] == "t1"
    assert second["made_from"] == {
        "evaluation": "e1",
        "source": 0,
        "row": 1,
        "raters": ["Ada", "Bob", "Eve", "Joe"],
        "v": 1,
        "chosen": "tuned",
        "rejected": "base",
        "votes": [2, 1],
    }
    write_rows(tmp_path / "p.jsonl", exported)
    assert [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()] == exported.rows


def test_the_last_correction_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    correct(path, (0, 1), "tuned", "Better.")
    correct(path, (0, 1), "tuned", "Best.", "Ada")
    correct(path, (0, 2), "tuned", "Wrong.")
    correct(path, (0, 2), "tuned", " ")
    corrections, broken = read_corrections(path)
    assert [(each.row, each.text) for each in corrections] == [(1, "Best.")] and broken == 0


def test_corrected_answers_are_a_source_to_train_on(tmp_path: Path) -> None:
    examples = {
        (0, 1): Example((Message("user", "你好"), Message("assistant", "Hi")), Origin(0, 1)),
        (0, 2): Example((Message("system", "Be kind."), Message("user", "Hi")), Origin(0, 2)),
    }
    log = tmp_path / "c.jsonl"
    made = [
        correct(log, (0, row), "tuned", text, "Ada")
        for row, text in ((1, "您好！"), (2, "Hello! "), (3, "No row"))
    ]
    exported = corrected_rows(made, examples, ["data/train.json"])
    assert exported.left_out == {"the row or the text is missing": 1}
    assert exported.rows[0]["made_from"] == {
        "source": "data/train.json",
        "row": 1,
        "by": ["correction of tuned by Ada"],
        "v": 1,
    }
    write_rows(tmp_path / "corrected.jsonl", exported)
    (tmp_path / "project.toml").write_text(
        'format = 1\nname = "p"\n[[data.source]]\npath = "corrected.jsonl"\nkind = "messages"\n'
    )
    dataset = open_dataset(open_project(tmp_path))
    try:
        read = [dataset.example(0, row) for row in range(2)]
    finally:
        dataset.close()
    said = [[m.content for m in each.messages] for each in read if isinstance(each, Example)]
    assert said == [["你好", "您好！"], ["Be kind.", "Hi", "Hello!"]]
