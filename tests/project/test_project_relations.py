"""What is wrong between keys is said on its line, before any row is read."""

from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.project.patterns import compiled, fault_of
from workbench.project.store import open_project

FIELDS = 'name = "x"\n[[data.source]]\nkind = "fields"\npath = "a"\n'
UTTERANCES = FIELDS.replace("fields", "utterances")
TEXT = FIELDS.replace("fields", "text")


def told(folder: Path, text: str) -> list[str]:
    """The problems of a project.toml, as they are printed, less the name of the file."""
    (folder / "project.toml").write_text(text)
    try:
        open_project(folder)
    except WorkbenchError as e:
        return [str(problem).removeprefix("project.toml:") for problem in e.problems]
    return []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('where = { a = { matches = "(" } }', "where.a.matches: not a regular expression: missing ) at"),
        ("where = { a = {} }", "where.a: no condition; give equals, in, matches"),
        ("where = { a = { min_chars = 3, max_chars = 2 } }", "where.a.min_chars: no text has at least 3 and"),
        ("where = { a = { in = [[1]] } }", "where.a.in.0: not a text or a whole number or a number or true"),
        ("where = { a = { eqals = 1 } }", "where.a.eqals: unknown key, did you mean equals?"),
        ("tags = { a = { b = '[' } }", "tags.a.b: not a regular expression: "),
        ("tags = { a = 1 }", "tags.a: not a text or a table: 1"),
        ('clean = ["stripp"]', "clean.0: must be one of strip, spaces, newlines, "),
        ("clean = [3]", "clean.0: not a text or a table: 3"),
        ('clean = ["strip", {}]', "clean.1: a rule that does nothing; one of prefix, suffix, replace"),
        ('clean = [{ prefix = ["a"], suffix = ["b"] }]', "clean.0: a rule with two actions"),
        ('clean = [{ suffix = [" "] }]', "clean.0.suffix: a mark of blanks only; the rule `strip`"),
        (
            'clean = [{ replace = "a", by = "b" }]',
            "clean.0.by: unknown key; known here: on, prefix, suffix, ",
        ),
        ('clean = [{ prefix = ["a"], with = "b" }]', "clean.0.with: needs `replace`"),
        ('clean = [{ replace = "(a)", with = "\\\\2" }]', "clean.0.replace: the replacement does not fit: "),
        ('clean = [{ replace = "*" }]', "clean.0.replace: not a regular expression: "),
        (
            "clean = [{ min_chars = 9, max_chars = 2 }]",
            "clean.0.min_chars: no text has at least 9 and at most",
        ),
        ('group = "{a}"', "group: is the name of a column, without braces"),
        ('hub_split = "test"', "hub_split: is for data sets of the hub"),
        ('user = ["Hello"]', "user: names no column, all rows would ask the same"),
        ('assistant = "{{x}}"', "assistant: names no column, all rows would answer the same"),
    ],
)
def test_one_fault_of_a_source(tmp_path: Path, line: str, problem: str) -> None:
    (only,) = told(tmp_path, FIELDS + line)
    assert only.startswith(f"5: data.source.0.{problem}")


def test_a_correct_source_is_quiet(tmp_path: Path) -> None:
    lines = """\
where = { a = { matches = "^\\\\p{Han}", in = ["x", 1, true] }, "b.c" = { min_chars = 0 } }
tags = { a = "{b}", c = { d = "e|f", g = "^h" } }
clean = ["strip", { prefix = ["a"], on = "user" }, { replace = "(a)b", with = "\\\\1" }, { max_chars = 3 }]
group = "b.c"
repeat = 2
"""
    assert told(tmp_path, FIELDS + lines) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('turn = "hello"', "turn: has no {text}, the utterance itself would be lost"),
        ('reply = { a = "{b}" }', "reply: one of its keys must hold {text}, not none; that key"),
        ('turn = { a = "{text}", b = "{text}" }', "turn: one of its keys must hold {text}, not 2 (a, b)"),
        ("labels = { text = [] }", "labels.text: {text} is the utterance: give the label another name"),
        ("turn = { a = 3 }", "turn.a: not a text: 3"),
        ("turn = 3", "turn: not a text or a table: 3"),
        ('separator = ""', "separator: must not be empty"),
    ],
)
def test_one_fault_of_utterances(tmp_path: Path, line: str, problem: str) -> None:
    (only,) = told(tmp_path, UTTERANCES + line)
    assert only.startswith(f"5: data.source.0.{problem}")


def test_a_plain_text_has_no_system_message_and_no_blocks(tmp_path: Path) -> None:
    assert len(told(tmp_path, TEXT + 'system = "s"\nblocks = { a = "{b}" }')) == 2
    assert told(tmp_path, TEXT + 'text = "fixed"')[0].startswith("5: data.source.0.text: names no column")


def test_rows_that_are_held_out_are_not_repeated(tmp_path: Path) -> None:
    held_out = 'split = "validation"\nrepeat = 3\n[[data.source]]\nkind = "text"\npath = "b"\n'
    (only,) = told(tmp_path, FIELDS + held_out)
    assert only.startswith("6: data.source.0.repeat: rows for validation are not repeated")


def test_one_source_is_trained_on(tmp_path: Path) -> None:
    (only,) = told(tmp_path, FIELDS + 'split = "test"\n')
    assert only.startswith("5: data.source.0.split: no source is trained on")
    in_profile = '[[profile.p.data.source]]\nkind = "text"\npath = "x"\nsplit = "test"'
    (only,) = told(tmp_path, FIELDS + in_profile)
    assert only.startswith("8: profile.p.data.source.0.split: no source is trained on")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[prompt.block]]\ntitle = "a"', "2: prompt.block.0: an empty block; give it `text`, or a `file`"),
        (
            '[[prompt.block]]\ntitle = "a"\ntext = "b"\nfile = "c"',
            "5: prompt.block.0.file: a block has text or a file, not both",
        ),
        (
            '[[prompt.variant]]\nname = "a"\ntemplate = "b"\n[[prompt.variant]]\nname = "a"\ntemplate = "c"',
            "6: prompt.variant.1.name: two variants are called 'a'",
        ),
        ('[prompt.few_shot]\nshot = "{user}"', "3: prompt.few_shot.shot: has no {assistant}"),
        ('[prompt.few_shot]\nbalance = "e"', "3: prompt.few_shot.balance: no source has a tag 'e'; tags are"),
        ('[prompt]\nblock_form = "{title}"', "3: prompt.block_form: has no {text}"),
        (
            "[evaluation]\nshortest_answer = 5\nlongest_answer = 4",
            "3: evaluation.shortest_answer: more than evaluation.longest_answer = 4",
        ),
        (
            "[evaluation.decoding]\nmin_new_tokens = 5\nmax_new_tokens = 4",
            "3: evaluation.decoding.min_new_tokens: more than evaluation.decoding.max_new_tokens = 4",
        ),
        ('[augmentation]\nparaphrases = ["{text}?", "x"]', "3: augmentation.paraphrases.1: has no {text}"),
    ],
)
def test_one_fault_of_prompts(tmp_path: Path, text: str, problem: str) -> None:
    (only,) = told(tmp_path, f'name = "x"\n{text}')
    assert only.startswith(problem)


def test_few_shot_is_balanced_by_a_tag_that_a_source_makes(tmp_path: Path) -> None:
    balanced = '[prompt.few_shot]\nbalance = "e"\n'
    assert told(tmp_path, FIELDS + 'tags = { e = "{emotion}" }\n' + balanced) == []
    assert "tags here: f" in told(tmp_path, FIELDS + 'tags = { f = "{emotion}" }\n' + balanced)[0]


def test_patterns() -> None:
    assert compiled(r"\p{Thai}+").search("abc ไทย")
    assert fault_of("a(b)", r"\1") == "" and fault_of("(?i)a", "b") == ""
    assert "not a regular expression" in fault_of("a(")
    with pytest.raises(ValueError, match="not a regular expression"):
        compiled("[")
