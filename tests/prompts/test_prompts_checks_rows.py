"""Findings about which rows are used: each one appears where it must, and a clean project has none."""

import json
from pathlib import Path

import pytest
from surveyed import facts_of, findings, project, rows

from workbench.project.store import open_project

MESSAGES = 'kind = "messages"'


def turns(*said: str) -> dict[str, object]:
    """Messages whose role is written before a colon."""
    return {"messages": [dict(zip(("role", "content"), each.split(": ", 1), strict=True)) for each in said]}


def test_a_clean_project_has_nothing_but_its_schedule(tmp_path: Path) -> None:
    assert set(findings(project(tmp_path / "p", rows(200)))) == {"schedule"}


def test_a_source_that_loses_all_its_rows_is_red_and_names_the_columns(tmp_path: Path) -> None:
    """Ultrachat's rows in a project that expects ShareGPT's column."""
    lost = [{"prompt_id": str(i), "messages": [{"role": "user", "content": "a"}]} for i in range(7)]
    found = findings(project(tmp_path / "p", rows(150), lost))
    assert facts_of(found["source-lost"]) == ("red", 7)
    assert "rows1.jsonl: all 7 rows are lost: 7 x no column" in found["source-lost"].what
    assert found["source-lost"].hint == "columns there: prompt_id, messages"
    assert found["source-lost"].rows[:2] == [(1, 0), (1, 1)]
    assert "nothing-to-train" not in found and "rejected" not in found


def test_a_source_of_which_all_is_filtered_or_duplicate_is_lost_too(tmp_path: Path) -> None:
    where = 'where = { user = { equals = "nothing" } }'
    found = findings(project(tmp_path / "p", rows(120), rows(3, 1), source={1: where}))
    assert "3 x filtered" in found["source-lost"].what
    again = project(tmp_path / "q", rows(120), rows(120)[:4], more='[data]\nduplicates = "drop"')
    assert "4 x duplicate" in findings(again)["source-lost"].what


def test_a_source_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(120), rows(1))
    (opened.folder / "rows1.jsonl").unlink()
    found = findings(opened)["source-lost"]
    assert found.level == "red" and "no such file" in found.what


def test_nothing_to_train(tmp_path: Path) -> None:
    found = findings(project(tmp_path / "p", [{"user": "a", "assistant": ""}] * 3))
    assert (
        found["nothing-to-train"].blocks and "3 x empty assistant message" in found["nothing-to-train"].what
    )
    found = findings(project(tmp_path / "q", rows(4), more="[data]\nmax_tokens = 8"))
    assert "too long" in found["nothing-to-train"].what


def test_rejected_rows_are_told_and_yellow_when_there_are_many(tmp_path: Path) -> None:
    found = findings(project(tmp_path / "p", rows(150) + [{"user": "x", "assistant": ""}]))
    assert facts_of(found["rejected"]) == ("note", 1) and found["rejected"].rows == [(0, 150)]
    found = findings(project(tmp_path / "q", rows(150) + [{"user": "x", "assistant": ""}] * 20))
    assert facts_of(found["rejected"]) == ("yellow", 20)


def test_roles_out_of_turn(tmp_path: Path) -> None:
    good = [turns(f"user: {row['user']}", f"assistant: {row['assistant']}") for row in rows(120)]
    bad = turns("user: one", "user: two", "assistant: three")
    found = findings(project(tmp_path / "p", [*good, bad], kind=MESSAGES))
    assert facts_of(found["roles"]) == ("yellow", 1) and found["roles"].rows == [(0, 120)]
    assert "rejected" not in found


def test_labels_that_do_not_match_their_turns(tmp_path: Path) -> None:
    """Six dialogues of the DailyDialog part have one label more or less than turns."""
    dialogues = [{"dialog": [row["user"], row["assistant"]], "emotion": [0, 1]} for row in rows(120)]
    dialogues[5]["emotion"] = [0, 1, 1]
    kind = 'kind = "utterances"\nlabels = { emotion = ["neutral", "anger"] }\nreply = "({emotion}) {text}"'
    found = findings(project(tmp_path / "p", dialogues, kind=kind))
    assert facts_of(found["labels-misaligned"]) == ("yellow", 1)
    assert found["labels-misaligned"].rows == [(0, 5)]


def test_duplicates_and_questions_that_are_asked_twice(tmp_path: Path) -> None:
    plain = rows(150)
    found = findings(project(tmp_path / "p", plain + plain[:1]))
    assert facts_of(found["duplicates"]) == ("note", 1) and found["duplicates"].rows == [(0, 150)]
    assert findings(project(tmp_path / "q", plain + plain[:20]))["duplicates"].level == "yellow"
    dropped = findings(project(tmp_path / "r", plain + plain[:20], more='[data]\nduplicates = "drop"'))
    assert dropped["duplicates"].level == "note" and "left out" in dropped["duplicates"].what
    other = plain[0] | {"assistant": "Quite another answer."}
    found = findings(project(tmp_path / "s", [*plain, other], more="[data]\nvalidation = 0"))
    assert facts_of(found["same-question"]) == ("note", 1) and "duplicates" not in found


def test_held_out_rows_that_are_trained_on_are_red(tmp_path: Path) -> None:
    trained, held = rows(150), rows(30, 1)
    split = {1: 'split = "validation"'}
    assert not {"leak", "leak-near", "leak-question"} & set(
        findings(project(tmp_path / "p", trained, held, source=split))
    )
    found = findings(project(tmp_path / "q", trained, held + trained[3:5], source=split))
    assert facts_of(found["leak"]) == ("red", 2) and found["leak"].rows == [(1, 30), (1, 31)]
    asked = [trained[3] | {"assistant": "Something else altogether, in other words."}]
    found = findings(project(tmp_path / "r", trained, held + asked, source=split))
    assert facts_of(found["leak-question"]) == ("yellow", 1) and "leak" not in found
    near = [{name: text.replace(".", "!") for name, text in trained[3].items()}]
    near[0]["user"] += " Now."
    found = findings(project(tmp_path / "s", trained, held + near, source=split))
    assert facts_of(found["leak-near"]) == ("yellow", 1) and found["leak-near"].rows == [(1, 30)]


def test_a_group_on_two_sides_is_told(tmp_path: Path) -> None:
    trained, held = rows(150, talk="{user}"), rows(30, 1, talk="{user}")
    held[4]["talk"] = trained[9]["talk"]
    source = {0: 'group = "talk"', 1: 'group = "talk"\nsplit = "validation"'}
    found = findings(project(tmp_path / "p", trained, held, source=source))
    assert facts_of(found["leak-group"]) == ("yellow", 1) and found["leak-group"].rows == [(1, 4)]


def test_no_validation_and_few_rows(tmp_path: Path) -> None:
    found = findings(project(tmp_path / "p", rows(12), more="[data]\nvalidation = 0"))
    assert found["no-validation"].level == "yellow" and found["few-rows"].level == "yellow"
    assert findings(project(tmp_path / "q", rows(60)))["few-rows"].level == "note"


@pytest.mark.parametrize(
    ("counts", "level", "said"),
    [
        ({"joy": 60, "anger": 60}, None, ""),
        ({"joy": 150, "anger": 20}, "yellow", "joy"),
        ({"joy": 100, "anger": 60, "fear": 4}, "note", "under 5% each: fear"),
    ],
)
def test_balance_of_tags(tmp_path: Path, counts: dict[str, int], level: str | None, said: str) -> None:
    values = [value for value, count in counts.items() for _ in range(count)]
    tagged = [row | {"mood": value} for row, value in zip(rows(len(values)), values, strict=True)]
    found = findings(project(tmp_path / "p", tagged, source={0: 'tags = { mood = "{mood}" }'}))
    if level is None:
        assert "imbalance" not in found
    else:
        assert found["imbalance"].level == level and said in found["imbalance"].what


def test_a_value_that_validation_lacks(tmp_path: Path) -> None:
    tagged = [row | {"mood": "ab"[i % 2]} for i, row in enumerate(rows(120))]
    held = [row | {"mood": "a"} for row in rows(30, 1)]
    lines = 'tags = { mood = "{mood}" }'
    both = {0: lines, 1: f'{lines}\nsplit = "validation"'}
    found = findings(project(tmp_path / "p", tagged, held, source=both))
    assert found["imbalance"].level == "yellow" and "none in validation: b" in found["imbalance"].what


def test_rows_of_a_test_source_need_no_answer(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    opened = project(folder, rows(150), [{"user": "What is it?"}], source={1: 'split = "test"'})
    assert set(findings(opened)) == {"schedule"}
    private = [{"user": "And this one?", "assistant": ""}]
    (folder / "rows1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in private))
    assert "rejected" not in findings(open_project(folder))


def test_why_nothing_is_held_out(tmp_path: Path) -> None:
    few = findings(project(tmp_path / "p", rows(1)))["no-validation"]
    assert "data.validation = 0.1 comes to no row" in few.hint
    own = findings(project(tmp_path / "q", rows(30), source={0: 'split = "train"'}))["no-validation"]
    assert 'split = "auto"' in own.hint
    none = findings(project(tmp_path / "r", rows(30), more="[data]\nvalidation = 0"))["no-validation"]
    assert "data.validation = 0.1, or" in none.hint


def test_repeated_rows_are_counted_both_ways(tmp_path: Path) -> None:
    more = "[data]\nvalidation = 0"
    found = findings(project(tmp_path / "p", rows(20), source={0: "repeat = 3"}, more=more))
    assert "60 rows with `repeat`" in found["schedule"].what


def test_one_row_asks_and_answers(tmp_path: Path) -> None:
    twice = [{"user": "Why?", "assistant": "Because."}, {"user": "Why?", "assistant": "So."}]
    found = findings(project(tmp_path / "p", rows(20) + twice, more="[data]\nvalidation = 0"))
    assert found["same-question"].what.endswith("1 row asks what an earlier one asks, and answers otherwise")


def test_rows_of_red_findings_can_be_opened(tmp_path: Path) -> None:
    """Whatever a source loses its rows by."""
    filtered = {1: 'where = { user = { equals = "nobody" } }'}
    found = findings(project(tmp_path / "p", rows(30), rows(3, 1), source=filtered))
    assert found["source-lost"].rows == [(1, 0), (1, 1), (1, 2)]
    found = findings(project(tmp_path / "q", rows(3), source={0: filtered[1]}))
    assert found["nothing-to-train"].rows == [(0, 0), (0, 1), (0, 2)]
    long = [{"user": "long " * 200, "assistant": "Yes."}] * 2
    found = findings(project(tmp_path / "r", long, more="[data]\nvalidation = 0\nmax_tokens = 16"))
    assert found["nothing-to-train"].rows == found["too-long"].rows == [(0, 0), (0, 1)]
