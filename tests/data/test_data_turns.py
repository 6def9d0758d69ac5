"""Kind `messages`: lists of turns as OpenAI, ShareGPT and others write them."""

from typing import Any

import pytest
from mapped import example, said


def turns(row: dict[str, Any], **settings: Any) -> list[tuple[str, str]] | str:
    return said("messages", row, **settings)


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


@pytest.mark.parametrize("cell", ["hello", "[", "[" * 100_000, '{"role": "user"}'])
def test_a_cell_of_text_that_is_no_list_of_turns(cell: str) -> None:
    assert said("messages", {"messages": cell}) == '"messages" is not a list of turns: it is text'


def test_turns_as_json_in_a_cell_of_text() -> None:
    cell = ' [{"role": "user", "content": "é"}, {"role": "assistant", "content": "b"}]'
    assert said("messages", {"messages": cell}) == [("user", "é"), ("assistant", "b")]


def test_an_empty_system_turn_is_none() -> None:
    spoken = [{"role": "system", "content": " "}, *chat("user", "assistant")]
    assert turns({"messages": spoken}) == [("user", "user 0"), ("assistant", "assistant 1")]


def test_the_system_of_the_source_stands_where_the_row_has_none() -> None:
    row = {"messages": chat("user", "assistant"), "style": "brief"}
    assert turns(row, system="Be {style}.")[0] == ("system", "Be brief.")
    own = {"messages": chat("system", "user", "assistant"), "style": "brief"}
    assert turns(own, system="Be {style}.")[0] == ("system", "system 0")
    assert turns({**row, "style": None}, system="{style}")[0] == ("user", "user 0")


def test_a_test_source_may_end_with_a_question() -> None:
    spoken = chat("system", "user")
    assert turns({"messages": spoken}, split="test") == [("system", "system 0"), ("user", "user 1")]
    assert turns({"messages": spoken[:1]}, split="test") == "no user message: "
    assert str(turns({"messages": chat("assistant")}, split="test")) == "no user message: "


def test_content_as_parts() -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]
    spoken = [{"role": "user", "content": parts}, *chat("user", "assistant")[1:]]
    assert turns({"messages": spoken})[0] == ("user", "a b")
    parts.append({"type": "image_url", "image_url": "x"})
    assert turns({"messages": spoken}) == "a content part is not text: turn 1, part 3 is of type 'image_url'"


def test_structured_content() -> None:
    spoken = [
        {"role": "user", "content": {"emotion": "joy", "dialog": "Hi", "n": 3}},
        {"role": "assistant", "content": {"dialog": "Oh", "emotion": None}},
    ]
    first, second = example("messages", {"messages": spoken}, text="dialog").messages
    assert (first.content, first.given, first.text_key) == ("Hi", (("emotion", "joy"), ("n", "3")), "dialog")
    assert second.for_template == {"emotion": "", "dialog": "Oh"}
    assert turns({"messages": spoken}) == (
        '"content" is not text: it is an object: `text` names the key of its text'
    )
    assert turns({"messages": spoken}, text="text") == 'a content has no "text": turn 1'
    spoken[0]["content"] = {"dialog": "Hi", "emotion": ["joy"]}
    assert turns({"messages": spoken}, text="dialog") == '"emotion" is not text: it is a list'


def test_empty_structured_system_turn_of_the_emotion_project() -> None:
    content = [{"emotion": "", "dialog": text} for text in ("", "Hi", "Oh")]
    roles = ("system", "user", "assistant")
    spoken = [{"role": role, "content": each} for role, each in zip(roles, content, strict=True)]
    assert turns({"messages": spoken}, text="dialog") == [("user", "Hi"), ("assistant", "Oh")]


@pytest.mark.parametrize("turn", [{"tool_calls": [{"id": 1}]}, {"content": None, "function_call": {"a": 1}}])
def test_tool_calls_are_named(turn: dict[str, Any]) -> None:
    spoken = [*chat("user"), {"role": "assistant", **turn}, *chat("assistant")]
    assert turns({"messages": spoken}) == "a turn calls a tool: turn 2"


def test_prompt_beside_messages_is_not_said_twice() -> None:
    row = {"prompt": "user 0", "prompt_id": "1", "messages": chat("user", "assistant")}
    assert turns(row) == [("user", "user 0"), ("assistant", "assistant 1")]
