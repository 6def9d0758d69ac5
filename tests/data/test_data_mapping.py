"""Mappings: what a row becomes, and the reason when it becomes nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.example import Example, Origin, Rejected
from workbench.data.mapping import map_row
from workbench.project.source import FieldsSource, MessagesSource

HERE = Origin(2, 7)


def fields(row: dict[str, Any], **source: Any) -> list[tuple[str, str]] | str:
    return outcome(map_row(FieldsSource(kind="fields", path="x.jsonl", **source), row, HERE))


def turns(row: dict[str, Any], **source: Any) -> list[tuple[str, str]] | str:
    return outcome(map_row(MessagesSource(kind="messages", path="x.jsonl", **source), row, HERE))


def outcome(made: Example | Rejected) -> list[tuple[str, str]] | str:
    """The messages, or reason and detail."""
    assert made.origin == HERE
    if isinstance(made, Rejected):
        return f"{made.reason}: {made.detail}"
    return [(message.role, message.content) for message in made.messages]


# fields


def test_parts_are_joined_and_a_part_with_only_empty_columns_is_left_out() -> None:
    row = {"instruction": "Add.", "input": "1 2", "output": "3"}
    assert fields(row) == [("user", "Add.\n\n1 2"), ("assistant", "3")]
    for empty in ("", " \n", None, float("nan")):
        assert fields({**row, "input": empty}) == [("user", "Add."), ("assistant", "3")]
    fixed = fields({"title": "T", "output": "x"}, user=["Write about:", "{title}"], system="Be {title}.")
    assert fixed == [("system", "Be T."), ("user", "Write about:\n\nT"), ("assistant", "x")]


def test_a_system_message_that_comes_out_empty_is_none() -> None:
    row = {"instruction": "a", "input": "", "output": "b", "s": None}
    assert fields(row, system="{s}") == [("user", "a"), ("assistant", "b")]


def test_values_are_text_and_never_templates() -> None:
    row = {"a": "{b} {{b}} %s {0.__class__}", "b": "no", "n": 3, "f": 0.5, "t": True}
    made = fields(row, user=["{a}", "{n} {f} {t}"], assistant="{{literally}} {b}")
    assert made == [
        ("user", "{b} {{b}} %s {0.__class__}\n\n3 0.5 true"),
        ("assistant", "{literally} no"),
    ]


def test_no_attribute_or_item_of_a_value_is_reached() -> None:
    row = {"a": "x", "output": "y"}
    for placeholder in ("{a.__class__}", "{a[0]}", "{a!r}", "{a:>10}"):
        assert str(fields(row, user=[placeholder])).startswith(f'no column "{placeholder[1:-1]}"')


def test_a_missing_column_is_named_with_its_nearest() -> None:
    row = {"instruction": "a", "input": "", "outputs": "b"}
    assert fields(row) == 'no column "output": did you mean "outputs"?'
    assert fields({"x": 1}) == 'no column "instruction": '


def test_what_is_rejected() -> None:
    row: dict[str, Any] = {"instruction": "a", "input": "", "output": "b"}
    assert fields({**row, "output": " "}) == "empty assistant message: turn 2"
    assert fields({**row, "instruction": None}) == "empty user message: turn 1"
    assert fields({**row, "output": ["b"]}) == '"output" is not text: it is a list'
    assert fields({**row, "output": b"b"}) == '"output" is not text: it is of kind bytes'
    assert str(fields({**row, "output": "b\ud800"})).startswith("broken Unicode: ")


def test_endings_of_older_formats_are_cut() -> None:
    row = {"prompt": "Who?\n\n###\n\n", "completion": " Me. END"}
    settings = {"strip_user": ["\n\n->\n\n", "\n\n###\n\n"], "strip_assistant": [" END"]}
    made = fields(row, user=["{prompt}"], assistant="{completion}", **settings)
    assert made == [("user", "Who?"), ("assistant", "Me.")]
    only_mark = fields({**row, "completion": " END"}, user=["{prompt}"], assistant="{completion}", **settings)
    assert only_mark == "empty assistant message: turn 2"


# messages


def chat(*spoken: str) -> list[dict[str, str]]:
    return [{"role": role, "content": f"{role} {n}"} for n, role in enumerate(spoken)]


def test_conversations_are_kept_as_they_are() -> None:
    made = turns({"messages": chat("system", "user", "assistant", "user", "assistant")})
    assert [role for role, _ in made] == ["system", "user", "assistant", "user", "assistant"]
    assert turns(
        {"messages": [{"role": "user", "content": " a\n"}, {"role": "assistant", "content": 4}]}
    ) == [
        ("user", " a\n"),
        ("assistant", "4"),
    ]


def test_sharegpt_and_own_speaker_names() -> None:
    row = {"c": [{"from": "Human", "value": "q"}, {"from": "bot", "value": "a"}]}
    keys = {"column": "c", "role": "from", "content": "value"}
    assert turns(row, **keys, roles={"bot": "assistant"}) == [("user", "q"), ("assistant", "a")]
    assert turns(row, **keys) == "unknown role: turn 2: 'bot'"


@pytest.mark.parametrize(
    ("spoken", "reason"),
    [
        (["user"], "no assistant message: "),
        (["system"], "no assistant message: "),
        (["assistant", "user"], "roles out of order: turn 1 is assistant, first"),
        (["user", "user", "assistant"], "roles out of order: turn 2 is user, after user"),
        (
            ["system", "user", "assistant", "assistant"],
            "roles out of order: turn 4 is assistant, after assistant",
        ),
        (
            ["user", "assistant", "system", "user", "assistant"],
            "roles out of order: turn 3 is system, after assistant",
        ),
        (["user", "assistant", "user"], "ends without an answer: "),
        (["user", "tool", "assistant"], "a tool's turn: turn 2: 'tool'"),
        (["user", "martian", "assistant"], "unknown role: turn 2: 'martian'"),
    ],
)
def test_roles_that_no_template_can_follow(spoken: list[str], reason: str) -> None:
    assert turns({"messages": chat(*spoken)}) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, '"messages" is not a list of turns: it is null'),
        ("hello", '"messages" is not a list of turns: it is text'),
        ([], "no assistant message: "),
        (["hello"], "a turn is not an object: turn 1 is text"),
        ([{"role": "user"}], 'a turn has no "content": turn 1'),
        ([{"roles": "user", "content": "x"}], 'a turn has no "role": turn 1; did you mean "roles"?'),
        ([{"role": ["user"], "content": "x"}], "unknown role: turn 1: \"['user']\""),
        (
            [{"role": "user", "content": None}, {"role": "assistant", "content": "x"}],
            "empty user message: turn 1",
        ),
        (
            [{"role": "user", "content": [{"text": "x"}]}],
            "a content part is not text: turn 1, part 1 is without a type",
        ),
    ],
)
def test_turns_that_are_none(value: Any, reason: str) -> None:
    assert turns({"messages": value}) == reason


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "content", "x"]), inner),
    max_leaves=12,
)
ROWS = st.dictionaries(st.sampled_from(["messages", "instruction", "input", "output", "x"]), VALUES)


@given(ROWS)
def test_any_row_becomes_one_or_the_other(row: dict[str, Any]) -> None:
    for source in (FieldsSource(kind="fields", path="x"), MessagesSource(kind="messages", path="x")):
        made = map_row(source, row, HERE)
        if isinstance(made, Rejected):
            assert made.reason and len(made.reason) < 60 and len(made.detail) < 300
        else:
            assert made.messages[-1].role == "assistant"
            assert all(message.content.strip() for message in made.messages)
