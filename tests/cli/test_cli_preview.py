"""The commands about prompts: preview with examples and with variants, few-shot with what it keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main

VARIANTS = (
    '[prompt]\nsystem = "Be kind."\n'
    '[[prompt.variant]]\nname = "mail"\ntemplate = "alpaca"\n'
    '[[prompt.variant]]\nname = "gone"\ntemplate = "gone.jinja"\n'
)


@pytest.fixture
def says(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def said(*words: str, code: int = 0) -> tuple[str, str]:
        assert main([words[0], "small", *words[1:]]) == code
        return tuple(capsys.readouterr())  # type: ignore[return-value]

    return said


def add(folder: Path, text: str) -> None:
    file = folder / "project.toml"
    file.write_text(file.read_text() + text)


def test_few_shot_prints_rows_with_their_texts(says: Any) -> None:
    out, err = says("few-shot", "--count", "2")
    assert out.count("source 0 row") == 2 and out.count("user: What is") == 2
    assert "2 from train, seed 42" in err
    assert says("few-shot", "--count", "2") == (out, err)
    assert says("few-shot", "--count", "2", "--seed", "7")[0] != out


def test_few_shot_lies_under_a_profile(says: Any, folder: Path) -> None:
    add(folder, "[profile.three]\nprompt.few_shot.count = 3\n")
    assert says("few-shot", "--profile", "three")[0].count("source 0 row") == 3
    assert says("few-shot", "--profile", "three", "--count", "1")[0].count("source 0 row") == 1


def test_few_shot_is_the_same_with_and_without_json(says: Any) -> None:
    out, _ = says("few-shot", "--count", "3")
    said = json.loads(says("few-shot", "--count", "3", "--json")[0])
    assert [f"source {shot['source']} row {shot['row']}" for shot in said["shots"]] == [
        line for line in out.splitlines() if line.startswith("source")
    ]
    assert (said["count"], said["pool"], said["stored"]) == (3, "train", False)
    assert [message["role"] for message in said["shots"][0]["messages"]] == ["user", "assistant"]


def test_few_shot_keeps_a_draw_and_says_when_it_is_not_the_projects(says: Any, folder: Path) -> None:
    _, err = says("few-shot", "--count", "2", "--save")
    assert "few_shot.json" in err and "asks for another draw" in err
    add(folder, "[prompt.few_shot]\ncount = 2\n")
    _, err = says("few-shot", "--save")
    assert "as stored" in err and "asks for another draw" not in err
    said = json.loads(says("preview", "--few-shot", "--json")[0])
    kept = json.loads((folder / "few_shot.json").read_text())
    rows, kept_rows = [shot["row"] for shot in said["shots"]], [each["row"] for each in kept["rows"]]
    assert len(rows) == 2 and set(kept_rows) - {0} <= set(rows)
    lines = (folder / "rows.jsonl").read_text().splitlines()
    lines[kept["rows"][0]["row"]] = '{"question": "another", "answer": "text"}'
    (folder / "rows.jsonl").write_text("\n".join(lines))
    _, err = says("few-shot", code=2)
    assert "few_shot.json" in err and "have changed" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "prompt.few_shot.count"),
        (("--count", "99"), "99 examples are asked for, 6 can be drawn from train"),
        (("--count", "2", "--balance", "emotion"), "emotion"),
        (("--count", "101"), "prompt.few_shot.count"),
    ],
)
def test_few_shot_that_cannot_be_drawn(says: Any, words: tuple[str, ...], said: str) -> None:
    assert said in says("few-shot", *words, code=2)[1]


def test_preview_with_examples_scores_the_last_answer_alone(says: Any) -> None:
    out, err = says("preview", "--few-shot", "2", "--row", "3")
    assert out.count("It is number") == 3 and "It is number 3." in out.split("⟦")[1].split("⟧")[0]
    assert out.count("⟦") == 1 and "scored (between" in err and "examples: source 0 row" in err
    assert "row 3" not in err.split("examples:")[1]
    assert "--few-shot" in says("preview", "--few-shot", "101", code=2)[1]
    assert "prompt.few_shot.count" in says("preview", "--few-shot", code=2)[1]


def test_preview_takes_the_kept_draw_where_the_project_asks_for_none(says: Any, folder: Path) -> None:
    says("few-shot", "--count", "2", "--seed", "7", "--save")
    kept = [each["row"] for each in json.loads((folder / "few_shot.json").read_text())["rows"]]
    row = str(next(row for row in range(8) if row not in kept))
    said = json.loads(says("preview", "--few-shot", "--row", row, "--json")[0])
    assert [shot["row"] for shot in said["shots"]] == kept
    add(folder, "[prompt.few_shot]\ncount = 3\n")
    assert len(json.loads(says("preview", "--few-shot", "--row", row, "--json")[0])["shots"]) == 3


def test_preview_shows_the_first_row_that_can_be_used(says: Any, folder: Path) -> None:
    assert says("preview")[1].count("row 0") == 0
    file = folder / "rows.jsonl"
    file.write_text(
        '{"question": "Why?"}\n{"question": "' + "long " * 2000 + '", "answer": "a"}\n' + file.read_text()
    )
    said = 'row 0 is left out: no column "answer"; this is row 2, the first that can be used'
    out, err = says("preview")
    assert said in err and "What is 0?" in out
    assert json.loads(says("preview", "--json")[0])["row"] == 2
    assert said in says("preview", "--variants")[1]
    assert "the row is left out: no column" in says("preview", "--row", "0", code=2)[1]
    file.write_text('{"question": "Why?"}\n' * 3)
    assert "rows.jsonl row 0: the row is left out: no column" in says("preview", code=2)[1]


def test_preview_of_variants(says: Any, folder: Path) -> None:
    add(folder, VARIANTS)
    out, err = says("preview", "--variants", "--row", "2", code=1)
    own, mail, gone = out.split("── ")[1:]
    assert own.startswith("base (the project's own)") and "⟦It is number 2." in own.replace("⟦ ", "⟦")
    assert "### Response" in mail and gone.startswith("gone")
    assert "gone.jinja" in err and err.count("tokens,") == 2
    said = json.loads(says("preview", "--variants", "--row", "2", "--json", code=1)[0])["variants"]
    assert [(each["name"], each["own"], bool(each["error"])) for each in said] == [
        ("base", True, False),
        ("mail", False, False),
        ("gone", False, True),
    ]
    plain = json.loads(says("preview", "--row", "2", "--json")[0])
    assert said[0]["ids"] == plain["ids"] and said[0]["mask"] == plain["mask"]


def test_preview_of_variants_ends_as_the_projects_own_does(says: Any, folder: Path) -> None:
    says("preview", "--variants")
    assert "nowhere" in says("preview", "--variants", "--set", "prompt.template=nowhere", code=2)[1]


def test_preview_of_a_row_without_an_answer(says: Any, folder: Path) -> None:
    add(
        folder,
        '[[data.source]]\nkind = "fields"\npath = "test.jsonl"\nuser = ["{question}"]\nsplit = "test"\n',
    )
    (folder / "test.jsonl").write_text('{"question": "What is 99?"}\n')
    out, err = says("preview", "--source", "1")
    assert "What is 99?" in out and "⟦" not in out and "the prompt that asks for an answer" in err
    said = json.loads(says("preview", "--source", "1", "--json")[0])
    assert said["asked"] and not any(said["mask"])


def test_blocks_stand_in_the_preview(says: Any, folder: Path) -> None:
    add(folder, '[prompt]\nquestion = "Chat"\n[[prompt.block]]\ntitle = "Ngữ cảnh"\nfile = "context.txt"\n')
    assert "context.txt" in says("preview", code=2)[1]
    (folder / "context.txt").write_text("Áo thun, size M.")
    text = "Ngữ cảnh:\nÁo thun, size M.\n\nChat:\nWhat is 0?"
    assert text in says("preview")[0]
    said = json.loads(says("preview", "--json")[0])
    assert said["messages"][0] == {"role": "user", "content": text}


def test_added_tokens_say_what_they_change(says: Any, folder: Path) -> None:
    assert "special tokens" not in says("preview")[1]
    add(folder, '[prompt]\nspecial_tokens = ["[EMOTION]"]\n')
    assert "special tokens: 1 added" in says("preview")[1]
    assert len(json.loads(says("preview", "--json")[0])["special_tokens"]) > 1
