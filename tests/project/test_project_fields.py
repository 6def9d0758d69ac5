"""The form's fields: their kinds, text to value and back, and what a change would break."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.project.fields import (
    FormField,
    form_fields,
    format_value,
    parse_value,
    validate_changes,
)
from workbench.project.store import open_project

SECTIONS = ("model", "data", "prompt", "training", "chat")
FIELDS = {field.key: field for section in SECTIONS for field in form_fields(section)}


def test_kinds_and_help() -> None:
    assert FIELDS["training.rank"] == FormField(
        key="training.rank",
        section="training",
        group="adapter",
        default=16,
        help="LoRA rank: width of the adapter",
        unit="",
        source="LoRA, arXiv 2106.09685",
        kind="int",
    )
    kinds = {
        key: FIELDS[key].kind for key in ("model.base", "model.quantization", "data.validation", "chat.stop")
    }
    assert kinds == {
        "model.base": "text",
        "model.quantization": "choice",
        "data.validation": "float",
        "chat.stop": "list",
    }
    assert FIELDS["training.target_modules"].kind == "list"
    assert FIELDS["training.gradient_checkpointing"].kind == "bool"
    assert FIELDS["model.quantization"].choices == ("none", "int8", "nf4")
    assert "data.source" not in FIELDS
    assert all(field.help for field in FIELDS.values())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.rank", " 8 ", 8),
        ("training.learning_rate", "2e-4", 2e-4),
        ("data.validation", "100", 100.0),
        ("training.gradient_checkpointing", "Yes", True),
        ("training.packing", "bfd", "bfd"),
        ("prompt.system", ' as "it" is ', ' as "it" is '),
        ("prompt.system", '"two\\nlines"', "two\nlines"),
        ("prompt.system", '"an open quote', '"an open quote'),
        ("training.target_modules", "all-linear", "all-linear"),
        ("training.target_modules", "q_proj, v_proj", ["q_proj", "v_proj"]),
        ("chat.stop", "END", ["END"]),
        ("chat.stop", '["\\n\\n", "a,b"]', ["\n\n", "a,b"]),
        ("chat.stop", "", []),
    ],
)
def test_parse(key: str, text: str, value: object) -> None:
    parsed = parse_value(FIELDS[key], text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("training.rank", "3x", "rank: not a whole number: '3x'"),
        ("training.rank", "9" * 5000, "rank: not a whole number: '999"),
        ("training.rank", "1.5", "rank: not a whole number: '1.5'"),
        ("training.dropout", "nan", "dropout: not a number: 'nan'"),
        ("training.packing", "bdf", "packing: must be one of batch, bfd, none, not 'bdf'; did you mean bfd?"),
        ("training.gradient_checkpointing", "maybe", "gradient_checkpointing: not true or false: 'maybe'"),
        ("chat.stop", "[1]", "stop: not a list of texts: '[1]'"),
    ],
)
def test_parse_refuses(key: str, text: str, problem: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        parse_value(FIELDS[key], text)
    assert str(caught.value).startswith(problem)


def test_every_default_comes_back() -> None:
    for field in FIELDS.values():
        assert parse_value(field, format_value(field.default)) == field.default, field.key


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(_TEXT, st.lists(_TEXT), st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_any_value_comes_back(text: str, items: list[str], number: float, whole: int) -> None:
    assert parse_value(FIELDS["prompt.system"], format_value(text)) == text
    assert parse_value(FIELDS["chat.stop"], format_value(items)) == items
    assert parse_value(FIELDS["data.validation"], format_value(number)) == number
    assert parse_value(FIELDS["training.rank"], format_value(whole)) == whole


@given(st.sampled_from(list(FIELDS.values())), st.text())
def test_any_typing_is_a_value_or_a_problem(field: FormField, text: str) -> None:
    try:
        parse_value(field, text)
    except WorkbenchError as e:
        assert e.problems[0].where == field.name


def test_validate_changes(tmp_path: Path) -> None:
    (tmp_path / "project.toml").write_text('name = "x"\n[model]\nquantization = "nf4"\n')
    project = open_project(tmp_path)
    assert validate_changes(project, {"training.rank": 8}) == []
    assert validate_changes(project, {"training.rank": None}) == []
    assert [str(p) for p in validate_changes(project, {"training.rank": 0})] == [
        "training.rank: must be at least 1, not 0"
    ]
    assert [p.where for p in validate_changes(project, {"training.method": "full"})] == ["training.method"]
    assert validate_changes(project, {"training.method": "full", "model.quantization": "none"}) == []
    both = validate_changes(project, {"training.rank": "x", "data.max_tokens": 1})
    assert {p.where for p in both} == {"training.rank", "data.max_tokens"}
