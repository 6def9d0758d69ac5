"""`workbench clean`: what rules touch, before and after, and which rules would have something to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main

ANSWERS = [
    "答案：翌日，用賢疏上。",
    "redirect ผำ",
    "<p>Fish &amp; chips</p>",
    "A\ufeffB",
    "答案：好",
    "答案：[bold]是[/bold]",
    "two  blanks",
    "plain",
]


@pytest.fixture
def project(folder: Path) -> Path:
    """`small` with faults in its answers, one a row."""
    rows = [{"question": f"What is {i}?", "answer": answer} for i, answer in enumerate(ANSWERS)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def with_rules(project: Path, rules: str) -> None:
    file = project / "project.toml"
    file.write_text(file.read_text().replace("[training]", f"clean = {rules}\n[training]"), encoding="utf-8")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["clean", "small", *words]) == 0
    return capsys.readouterr().out


def told_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(told(capsys, "--json", *words))


def test_rules_of_the_source_with_before_and_after(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_rules(project, '["html", "redirects", { on = "assistant", prefix = ["答案："] }]')
    assert told(capsys, "--rows", "2").splitlines() == [
        "html: touches 1 row",
        "  row 2 assistant: [-<p>-]Fish &[-amp;-] chips[-</p>-]",
        "redirects: touches 1 row, 1 of them left out",
        "  row 1 assistant: left out, redirect stub: redirect ผำ",
        "prefix 答案： in assistant: touches 3 rows",
        "  row 0 assistant: [-答案：-]翌日，用賢疏上。",
        "  row 4 assistant: [-答案：-]好",
    ]


def test_tried_rules_stand_in_for_the_sources_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_rules(project, '["html"]')
    before = (project / "project.toml").read_bytes()
    made = told_json(capsys, "--rule", "bom", "--try", 'replace = "  +", with = " "', "--rule", "nfc")
    assert made["rows"] == 8
    assert [(rule["label"], rule["touched"], rule["left_out"]) for rule in made["rules"]] == [
        ("bom", 1, 0),
        ("replace /  +/ with  ", 1, 0),
        ("nfc", 0, 0),
    ]
    assert made["rules"][0]["examples"] == [
        {"row": 3, "role": "assistant", "before": "A\ufeffB", "after": "AB", "reason": ""}
    ]
    assert (project / "project.toml").read_bytes() == before
    assert "A[-U+FEFF-]B" in told(capsys, "--rule", "bom")
    limits = told_json(capsys, "--try", '{ on = "assistant", min_chars = 6 }')["rules"][0]
    assert (limits["touched"], limits["left_out"]) == (3, 3)


def test_without_rules_it_offers_those_that_would_touch_something(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = told_json(capsys)
    assert made["rules"] == []
    assert [(each["rule"], each["touched"], each["sample"]) for each in made["suggested"]] == [
        ("bom", 1, 8),
        ("redirects", 1, 8),
        ("html", 1, 8),
        ("spaces", 1, 8),
        ({"on": "assistant", "prefix": ["答案："]}, 3, 8),
    ]
    offered = told(capsys).splitlines()
    assert offered[-1] == '      3  { on = "assistant", prefix = ["答案："] }'
    assert told(capsys, "--try", offered[-1].split(maxsplit=1)[1]).startswith("prefix 答案：")


def test_the_first_source_with_rules_unless_another_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "project.toml"
    second = '[[data.source]]\nname = "two"\nkind = "fields"\npath = "rows.jsonl"\nuser = ["{question}"]\n'
    text = file.read_text().replace(
        "[training]", f'{second}assistant = "{{answer}}"\nclean = ["html"]\n[training]'
    )
    file.write_text(text, encoding="utf-8")
    assert [each["label"] for each in told_json(capsys)["rules"]] == ["html"]
    assert told_json(capsys, "--source", "0")["rules"] == []
    assert [each["label"] for each in told_json(capsys, "--rule", "bom")["rules"]] == ["bom"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--rule", "htlm"], "error: --rule: must be one of strip, spaces, newlines, html"),
        (["--rule", "htlm"], "not 'htlm'; did you mean html?"),
        (
            ["--rule", "bom", "--try", "prefx = ['a']"],
            "error: --try: prefx: unknown key, did you mean prefix?",
        ),
        (["--try", "prefix = "], "not an inline table of TOML"),
        (["--rule", "bom", "--try", "replace = '(a'"], "error: --try: replace: not a regular expression"),
        (["--source", "3"], "there is no source 3"),
    ],
)
def test_misuse(words: list[str], complaint: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "small", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_a_source_that_cannot_be_read_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "rows.jsonl").unlink()
    assert main(["clean", "small"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_hostile_text_is_shown_as_signs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "rows.jsonl").write_text(json.dumps({"question": "q", "answer": " \x1b[2J\u202e a  b"}) + "\n")
    text = told(capsys, "--rule", "spaces")
    assert not set(text) & set("\x1b\u202e")
