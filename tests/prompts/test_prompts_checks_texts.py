"""Findings about how rows are written, and texts that only look as if they had a fault."""

from pathlib import Path

import pytest
from surveyed import facts_of, findings, project, rows

from workbench.prompts.survey.survey import survey

MESSAGES = 'kind = "messages"'
HONEST = [
    {"user": "Print a line in C.", "assistant": 'printf("hello\\n");'},
    {"user": "Match a line break.", "assistant": "The pattern is (\\r\\n|\\n)+ and nothing else."},
    {"user": "Name the gradient.", "assistant": "It is $\\nabla f$, and the frequency is $\\nu$."},
    {"user": "Where is it?", "assistant": "C:\\new\\notes\\n.txt"},
    {"user": "A poem, please.", "assistant": "The snow\nfalls slow,\n\n  and no one\n  goes."},
    {
        "user": "Explain line breaks.",
        "assistant": "Write \\n in a string:\n\nprint('a\\nb')\n\nand \\n again",
    },
    {"user": "用中文說：你好。", "assistant": "您好，今天天氣很好：我們去散步吧。"},
    {
        "user": "Is 3 < 5 and 5 > 3?",
        "assistant": "Yes: 3 < 5, and a[i] -> b says so. THE END is near, END of story.",
    },
    {"user": "Compare `<div>` and </p>", "assistant": "Both are HTML: <b>tags</b> | and <|> is none."},
    {"user": "Café or naïve?", "assistant": "Übermut tut selten gut, œuvre, Straße 🙂 👩‍👩‍👧"},
]


def messages(user: str, assistant: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]}


def test_honest_texts_have_no_findings(tmp_path: Path) -> None:
    opened = project(tmp_path / "p", rows(150) + HONEST, more="[data]\nvalidation = 10")
    assert set(findings(opened)) == {"schedule"}


@pytest.mark.parametrize(
    ("answer", "fires"),
    [
        (" \\n It is a bird. ", True),  # every answer of the Typhoon project begins so
        ("One.\\nTwo.\\nThree.", True),
        ("甲。\\n乙。\\n丙。", True),
        ("It ends so.\\n", True),
        ("It says \\n once only.", False),
        ("\\nabla is a word", False),
    ],
)
def test_escapes_that_stand_for_line_breaks(tmp_path: Path, answer: str, fires: bool) -> None:
    found = findings(project(tmp_path / "p", [*rows(120), {"user": "Which?", "assistant": answer}]))
    assert ("literal-escapes" in found) is fires
    if fires:
        assert facts_of(found["literal-escapes"]) == ("yellow", 1)
        assert found["literal-escapes"].rows == [(0, 120)]


def test_one_escape_a_row_in_many_rows(tmp_path: Path) -> None:
    """The Typhoon project's rows: one between the instruction and a text that has real line breaks."""
    written = [{"text": f"[INST] {row['user']} [/INST] \\n {row['assistant']}\nMore."} for row in rows(60)]
    found = findings(project(tmp_path / "p", written, kind='kind = "text"'))
    assert facts_of(found["literal-escapes"]) == ("yellow", 60)
    few = [{"text": row["assistant"]} for row in rows(300, 1)]
    assert "literal-escapes" not in findings(project(tmp_path / "q", few + written[:6], kind='kind = "text"'))


def test_private_use_characters(tmp_path: Path) -> None:
    odd = [
        {"user": "\ue1ef 是什麼？", "assistant": "一個字。"},
        {"user": "Apple?", "assistant": "It is \uf8ff."},
    ]
    found = findings(project(tmp_path / "p", rows(120) + odd))
    assert facts_of(found["private-use"]) == ("yellow", 2)
    assert found["private-use"].rows == [(0, 120), (0, 121)]


def test_special_tokens_written_as_text(tmp_path: Path) -> None:
    odd = [{"user": "Say it.", "assistant": "It is <|im_end|> over."}]
    found = findings(project(tmp_path / "p", rows(120) + odd))
    assert facts_of(found["special-token-text"]) == ("yellow", 1)
    assert "<|im_end|>" in found["special-token-text"].what


def test_blanks_at_the_edges(tmp_path: Path) -> None:
    good = [messages(row["user"], row["assistant"]) for row in rows(120)]
    found = findings(project(tmp_path / "p", [*good, messages("Well? ", "Yes.")], kind=MESSAGES))
    assert facts_of(found["trailing-space"]) == ("note", 1) and "question" in found["trailing-space"].what
    found = findings(
        project(tmp_path / "q", [*good, *[messages(f"W{i}?", " Yes.") for i in range(20)]], kind=MESSAGES)
    )
    assert facts_of(found["trailing-space"]) == ("yellow", 20) and "an answer" in found["trailing-space"].what


def test_marks_of_the_older_prompt_completion_format(tmp_path: Path) -> None:
    old = rows(120, user="{user}\n\n###\n\n", assistant=" {assistant} END")
    found = [f for f in survey(project(tmp_path / "p", old)).findings if f.name == "legacy-format"]
    assert [f.level for f in found] == ["yellow", "yellow"]
    assert (
        "a question that ends in '###'" in found[0].what and "an answer that ends in 'END'" in found[1].what
    )
    stripped = 'strip_user = ["###"]\nstrip_assistant = ["END"]'
    assert "legacy-format" not in findings(project(tmp_path / "q", old, source={0: stripped}))
    assert "legacy-format" not in findings(project(tmp_path / "r", rows(120) + old[:30]))


def test_answers_that_announce_themselves(tmp_path: Path) -> None:
    """519 of the 10,000 outputs of the NTU task begin with this."""
    some = rows(8, 1, assistant="答案：{assistant}")
    found = findings(project(tmp_path / "p", rows(150) + some))
    assert facts_of(found["answer-prefix"]) == ("yellow", 8) and "'答案：'" in found["answer-prefix"].what
    assert found["answer-prefix"].rows[0] == (0, 150)
    every = rows(150, assistant="Answer: {assistant}")
    assert "answer-prefix" not in findings(project(tmp_path / "q", every)), "what all begin with is meant"
    once = [{"user": "Which?", "assistant": "Answer: the third."}]
    assert "answer-prefix" not in findings(project(tmp_path / "r", rows(150) + once))
    half = rows(100, 2, assistant="Mood: {assistant}")
    assert findings(project(tmp_path / "s", rows(150) + half))["answer-prefix"].level == "note"


def test_an_instruction_that_stands_in_every_question(tmp_path: Path) -> None:
    told = rows(150, user="Explain this word: {user}")
    found = findings(project(tmp_path / "p", told))
    assert found["constant-instruction"].level == "note"
    assert "'Explain this word:'" in found["constant-instruction"].what


@pytest.mark.parametrize(
    ("answer", "fires"),
    [
        ("It is a bird.</s>", True),  # the Typhoon project
        ("<s>[INST] It is [/INST] a bird", True),
        ("It is a bird.<|eot_id|>", True),
        ("a bird<end_of_turn>\n", True),
        ("The price is <s>5</s> 4 euros.", False),
        ("Write <|> or a < b, [INSTALL].", False),
    ],
)
def test_marks_of_another_template(tmp_path: Path, answer: str, fires: bool) -> None:
    found = findings(project(tmp_path / "p", [*rows(120), {"user": "Which?", "assistant": answer}]))
    assert ("special-token-text" in found) is fires
    if fires:
        assert facts_of(found["special-token-text"]) == ("yellow", 1)
        assert "another template" in found["special-token-text"].what


def test_tokens_that_the_project_adds_are_meant(tmp_path: Path) -> None:
    written = rows(60, user="{user} <mood>")
    more = '[prompt]\nspecial_tokens = ["<mood>", "<|eot_id|>"]'
    found = findings(project(tmp_path / "p", written, more=more))
    assert not {"special-token-text", "common-ending"} & set(found)
    assert facts_of(found["special-tokens"]) == ("note", 0)
    assert "2 added, with ids from" in found["special-tokens"].what


def test_buttons_of_web_pages(tmp_path: Path) -> None:
    """The FIKA project: questions end in the words of a button."""
    tails = rows(20, user="{user}\nShare Prompt")
    found = findings(project(tmp_path / "p", rows(120, 1) + tails))
    assert facts_of(found["scraped-tail"]) == ("yellow", 20)
    assert found["scraped-tail"].rows[0] == (0, 120)
    assert 'clean = [{ suffix = ["Share Prompt"] }]' in found["scraped-tail"].hint
    cleaned = {0: 'clean = [{ suffix = ["Share Prompt"] }]'}
    assert "scraped-tail" not in findings(project(tmp_path / "q", rows(120, 1) + tails, source=cleaned))


@pytest.mark.parametrize(
    ("end", "named"),
    [
        ("'}", "'}"),
        (" ~", " ~"),
        (" <answer>", " <answer>"),
        (" Why?", ""),
        ("", ""),
        (" ->", ""),
        (" 嗎？", ""),
        (" หรือครับ", ""),
    ],
)
def test_an_end_that_all_questions_share(tmp_path: Path, end: str, named: str) -> None:
    written = rows(110, user="{user}" + end.replace("}", "}}")) + rows(10, 1)
    found = findings(project(tmp_path / "p", written))
    assert ("common-ending" in found) is bool(named)
    if named:
        assert facts_of(found["common-ending"])[0] == "note" and found["common-ending"].count >= 110
        assert f"{named!s}" in found["common-ending"].what and "strip_user" in found["common-ending"].hint


def test_rows_nearly_equal_to_others(tmp_path: Path) -> None:
    long = " ".join(row["user"] for row in rows(12, 5))
    alike = [{"user": f"{long} {last}", "assistant": "Yes, it is so."} for last in ("one", "two", "three")]
    found = findings(project(tmp_path / "p", rows(60) + alike, more="[data]\nvalidation = 0"))
    assert facts_of(found["near-duplicates"]) == ("note", 2)
    dropped = '[data]\nvalidation = 0\nnear_duplicates = "drop"'
    assert "near-duplicates" not in findings(project(tmp_path / "q", rows(60) + alike, more=dropped))
