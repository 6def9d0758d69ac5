"""Mappings: what a row becomes, and the reason when it becomes nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mapped import HERE, example, mapped, said, source

from workbench.data.example import Rejected
from workbench.data.mapping.mapper import Mapper

ROW = {"instruction": "a", "input": "", "output": "b"}


def fields(row: dict[str, Any], **settings: Any) -> list[tuple[str, str]] | str:
    return said("fields", row, **settings)


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


def test_a_column_that_rows_may_lack() -> None:
    user = ["{instruction}", "{more.input?}", "{sure?}"]
    assert fields({"instruction": "a", "output": "b"}, user=user)[0] == ("user", "a")
    row = {"instruction": "a", "more": {"input": "c"}, "sure?": "d", "output": "b"}
    assert fields(row, user=user)[0] == ("user", "a\n\nc\n\nd")
    assert fields({"output": "b"}, user=["{instruction?}"]) == "empty user message: turn 1"
    assert fields({**row, "sure?": []}, user=user) == '"sure?" is not text: it is a list'


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


def test_a_dot_leads_into_objects_and_lists_unless_a_column_is_named_so() -> None:
    row = {"q": "?", "answers": [{"text": "first"}, {"text": "second"}], "m": {"t": {"1": 5}}}
    made = fields(row, user=["{q} {m.t.1}"], assistant="{answers.1.text}")
    assert made == [("user", "? 5"), ("assistant", "second")]
    named = fields({**row, "answers.1.text": "own"}, user=["{q}"], assistant="{answers.1.text}")
    assert named == [("user", "?"), ("assistant", "own")]
    for place, detail in {
        "answers.2.text": '"answers" has 2 elements',
        "answers.-1.text": '"answers" has 2 elements',
        "answers.x": '"answers" has 2 elements',
        "m.t.2": '"m.t" is an object without it',
        "q.0": '"q" is text without it',
        "answer.0": 'did you mean "answers"?',
    }.items():
        assert fields(row, user=["{q}"], assistant=f"{{{place}}}") == f'no column "{place}": {detail}'
    assert fields(row, user=["{q}"], assistant="{answers.0}") == '"answers.0" is not text: it is an object'


def test_rows_of_a_test_source_may_lack_the_answer() -> None:
    user = [("user", "a")]
    for row in ({"instruction": "a", "input": ""}, {**ROW, "output": None}, {**ROW, "output": " END "}):
        assert fields(row, split="test", strip_assistant=["END"]) == user
        assert isinstance(mapped("fields", row, strip_assistant=["END"]), Rejected)
    assert fields(ROW, split="test") == [*user, ("assistant", "b")]
    assert fields({**ROW, "output": ["x"]}, split="test") == '"output" is not text: it is a list'
    assert fields({"output": "b"}, split="test") == 'no column "instruction": '


# text


def test_a_text_is_trained_on_as_it_stands() -> None:
    made = example("text", {"text": " a\n", "title": "T"}, text="# {title}\n{text}", tags={"t": "{title}"})
    assert [(m.role, m.content) for m in made.messages] == [("assistant", "# T\n a\n")]
    assert made.plain and made.tags == (("t", "T"),)
    assert said("text", {"text": " \n"}) == "empty assistant message: turn 1"
    assert not example("fields", ROW).plain


# what all kinds share


def test_group_and_blocks() -> None:
    row = {**ROW, "article": 7, "meta": {"topic": " Tea\n", "none": None}}
    blocks = {"Topic": "{meta.topic}", "Gone": "See {meta.none}", "Fixed": "always"}
    made = example("fields", row, group="article", blocks=blocks)
    assert made.group == "7"
    assert made.blocks == (("Topic", "Tea"), ("Fixed", "always"))
    assert example("fields", row, group="meta.none").group == ""
    assert fields(row, group="articel") == 'no column "articel": did you mean "article"?'
    assert fields(row, blocks={"A": "{meta}"}) == '"meta" is not text: it is an object'


def test_broken_unicode_is_rejected_wherever_it_comes_in() -> None:
    row = {**ROW, "x": "a\udc00"}
    for settings in ({"tags": {"t": "{x}"}}, {"group": "x"}, {"blocks": {"b": "{x}"}}, {"system": "{x}"}):
        assert str(fields(row, **settings)).startswith("broken Unicode: half a surrogate pair in ")


KEYS = ["messages", "instruction", "input", "output", "dialog", "emotion", "text", "role", "content", "x"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)
ROWS = st.dictionaries(st.sampled_from(KEYS), VALUES)
MORE: dict[str, Any] = {
    "where": {"x": {"min_chars": 1}},
    "tags": {"t": "{x}", "u": {"v": "a+"}},
    "group": "x",
    "blocks": {"b": "{text.0}"},
}
STRUCTURED = {"e": "{emotion}", "t": "{text}"}
SOURCES = [
    source("fields"),
    source("fields", user=["{x.0.text}"], assistant="{output}", split="test"),
    source("messages"),
    source("messages", text="text", split="test"),
    source("utterances"),
    source("utterances", labels={"emotion": ["a", "b"]}, turn=STRUCTURED, reply=STRUCTURED),
    source("utterances", labels={"emotion": []}, reply="({emotion}) {text}"),
    source("text"),
    source("text", **MORE),
    source("fields", system="{x}", **MORE),
]


@given(ROWS, st.sampled_from([Mapper(each) for each in SOURCES]))
def test_any_row_becomes_one_or_the_other(row: dict[str, Any], mapper: Mapper) -> None:
    made = mapper.map(row, HERE)
    if isinstance(made, Rejected):
        assert made.reason and len(made.reason) < 60 and len(made.detail) < 300
    else:
        assert made.messages and all(message.content.strip() for message in made.messages)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip())


@given(WORDS, WORDS)
def test_any_unicode_arrives_as_it_is_but_for_outer_white_space(one: str, two: str) -> None:
    stripped = [one.strip(), two.strip()]
    spoken = [{"role": "user", "content": one}, {"role": "assistant", "content": two}]
    for kind, row, expected in (
        ("fields", {"instruction": one, "input": "", "output": two}, stripped),
        ("messages", {"messages": spoken}, [one, two]),
        ("utterances", {"dialog": [one, two]}, stripped),
        ("text", {"text": one}, [one]),
    ):
        made = example(kind, row)
        assert [message.content for message in made.messages] == expected
