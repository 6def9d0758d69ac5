"""A list of rules on examples: order, whose messages, what is left out and why, and labels."""

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.cleaning import Cleaner, label
from workbench.data.example import Example, Message, Origin, Rejected
from workbench.data.files.rows import RowError
from workbench.data.mapping import searching
from workbench.errors import WorkbenchError
from workbench.project.source import Cleaning, CleaningRule


def example(*texts: str, system: str = "") -> Example:
    """User and assistant in turn."""
    roles = ("user", "assistant")
    turns = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))
    head = (Message("system", system),) if system else ()
    return Example(head + turns, Origin(1, 7), tags=(("a", "b"),), group="g")


def texts(made: Example | Rejected) -> list[str]:
    assert isinstance(made, Example), made
    return [message.content for message in made.messages]


def rule(**settings: object) -> CleaningRule:
    return CleaningRule.model_validate(settings)


def test_nothing_to_do_gives_the_example_itself() -> None:
    given_example = example("a", "b")
    assert Cleaner(["strip", "html", "bom"]).clean(given_example) is given_example
    assert Cleaner([]).clean(given_example) is given_example


def test_rules_touch_content_only() -> None:
    message = Message("user", " hi ", given=(("emotion", " joy "),), text_key="dialog")
    before = Example(
        (message, Message("assistant", "b")), Origin(0, 0), (("t", " x "),), " g ", ((" k ", " v "),)
    )
    after = Cleaner(["strip"]).clean(before)
    assert after == dataclasses.replace(
        before, messages=(dataclasses.replace(message, content="hi"), before.messages[1])
    )


@pytest.mark.parametrize(
    ("on", "cleaned"),
    [
        ("all", ["b", "b", "b"]),
        ("system", ["b", "ab", "ab"]),
        ("user", ["ab", "b", "ab"]),
        ("assistant", ["ab", "ab", "b"]),
    ],
)
def test_whose_messages(on: str, cleaned: list[str]) -> None:
    for settings in ({"prefix": ["a"]}, {"replace": "^a"}):
        made = Cleaner([rule(on=on, **settings)]).clean(example("ab", "ab", system="ab"))
        assert texts(made) == cleaned


def test_marks_go_with_the_blanks_around_them_and_only_at_their_end() -> None:
    prefix = Cleaner([rule(on="assistant", prefix=["答案：", "答："])])
    assert texts(prefix.clean(example("答案：x", " 答案： \n答：甲答案：乙 "))) == ["答案：x", "甲答案：乙 "]
    untouched = example("a", "  x 答案：")
    assert prefix.clean(untouched) is untouched
    suffix = Cleaner([rule(on="user", suffix=["Share Prompt"])])
    assert texts(suffix.clean(example("Share Prompt why?\n Share Prompt Share Prompt \n", "b"))) == [
        "Share Prompt why?",
        "b",
    ]


def test_replace_with_groups() -> None:
    assert texts(
        Cleaner([rule(replace=r"(\d+) USD", **{"with": r"$\1"})]).clean(example("5 USD", "6 USD"))
    ) == ["$5", "$6"]


def test_replace_is_carried_out_once_and_the_others_until_nothing_changes() -> None:
    assert texts(Cleaner([rule(replace="a", **{"with": "aa"})]).clean(example("a", "b"))) == ["aa", "b"]
    assert texts(Cleaner(["strip", "html"]).clean(example("<p> a </p>", "<b> b </b>"))) == ["a", "b"]


@pytest.mark.parametrize(
    ("settings", "reason", "detail"),
    [
        ({"on": "assistant", "min_chars": 10}, "answer shorter than 10 characters", "turn 2 has 5"),
        ({"on": "assistant", "max_chars": 4}, "answer longer than 4 characters", "turn 2 has 5"),
        ({"on": "user", "min_chars": 3}, "question shorter than 3 characters", "turn 1 has 2"),
        ({"max_chars": 4}, "answer longer than 4 characters", "turn 2 has 5"),
    ],
)
def test_length_limits_leave_rows_out(settings: dict[str, object], reason: str, detail: str) -> None:
    made = Cleaner([rule(**settings)]).clean(example("ab", "abcde"))
    assert made == Rejected(Origin(1, 7), reason, detail, filtered=True)
    kept = example("abcdefghij" * 2, "abcdefghij" * 2)
    assert Cleaner([rule(min_chars=20, max_chars=20)]).clean(kept) is kept


def test_a_message_that_becomes_empty_is_rejected_not_filtered() -> None:
    made = Cleaner([rule(on="assistant", prefix=["答案："])]).clean(example("q", "答案： "))
    assert made == Rejected(Origin(1, 7), "empty after cleaning", "assistant, turn 2")


def test_steps_show_each_change_in_order() -> None:
    cleaner = Cleaner(["bom", "html", "strip", rule(on="assistant", min_chars=9)])
    steps = cleaner.steps(example("q", "\ufeff <b>hello</b> "))
    assert [step.rule for step in steps] == ["bom", "html", "strip", "at least 9 characters in assistant"]
    assert [texts(step.before)[1] for step in steps] == [
        "\ufeff <b>hello</b> ",
        " <b>hello</b> ",
        " hello ",
        "hello",
    ]
    assert isinstance(steps[-1].after, Rejected)
    assert cleaner.touched(example("q", " <b>long enough</b> ")) == (
        example("q", "long enough"),
        ("html", "strip"),
    )
    assert cleaner.touched(example("q", "long enough")) == (example("q", "long enough"), ())


@pytest.mark.parametrize(
    ("cleaning", "name"),
    [
        ("html", "html"),
        (rule(on="assistant", prefix=["答案：", "答："]), "prefix 答案：, 答： in assistant"),
        (rule(suffix=["Share Prompt"]), "suffix Share Prompt"),
        (rule(replace="a+", **{"with": "b"}), "replace /a+/ with b"),
        (rule(on="user", replace="x" * 60), f"replace /{'x' * 39}…/ in user"),
        (rule(min_chars=3, max_chars=9), "at least 3 characters and at most 9 characters"),
    ],
)
def test_labels(cleaning: Cleaning, name: str) -> None:
    assert label(cleaning) == name


@pytest.mark.parametrize(("pattern", "by"), [("(a", ""), ("(a)", r"\2"), ("(a)", r"\g<b>")])
def test_a_pattern_that_is_none_is_told(pattern: str, by: str) -> None:
    with pytest.raises(WorkbenchError, match="replace /"):
        Cleaner([rule(replace=pattern, **{"with": by})])


def test_a_pattern_that_never_ends_rejects_the_same_rows_however_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "_TIMEOUT", 0.1)
    cleaner = Cleaner([rule(replace="^(?:a|aa)+$")])
    begin = time.monotonic()
    for _ in range(50):
        made = cleaner.clean(example("q", "a" * 400 + "b"))
        assert isinstance(made, Rejected) and not made.filtered
        assert made.reason == "a pattern takes too long"
        assert isinstance(cleaner.clean(example("q", "quick")), Example)
    assert time.monotonic() - begin < 4


def test_a_pattern_that_is_slow_for_many_texts_gives_the_source_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_TIMEOUT", 0.05)
    monkeypatch.setattr(searching, "_MOST_SLOW", 3)
    cleaner = Cleaner([rule(replace="^(?:a|aa)+$")])
    texts = [f"{'a' * 400}!{i}" for i in range(3)]
    assert all(isinstance(cleaner.clean(example("q", text)), Rejected) for text in texts[:2])
    for text in (texts[2], texts[0]):
        with pytest.raises(
            WorkbenchError, match=r"the pattern '\^.* takes too long, in 3 texts or more"
        ) as e:
            cleaner.clean(example("q", text))
        assert not isinstance(e.value, RowError)
    assert isinstance(cleaner.clean(example("q", "quick")), Example)


MARKS = st.lists(st.sampled_from(["a", "ab", "b:", "答案：", "  x "]), min_size=1, max_size=3)


@given(
    text=st.lists(st.sampled_from([*"ab: \nx", "答案：", "<p>", "\\n", "  "]), max_size=20).map("".join),
    rules=st.lists(
        st.one_of(
            st.sampled_from(["strip", "html", "newlines", "spaces"]),
            MARKS.map(lambda marks: rule(prefix=marks)),
            MARKS.map(lambda marks: rule(suffix=marks)),
        ),
        max_size=4,
    ),
)
def test_lists_with_marks_leave_clean_text_alone(text: str, rules: list[Cleaning]) -> None:
    cleaner = Cleaner(rules)
    once = cleaner.clean(example("q", text))
    if isinstance(once, Example):
        assert cleaner.clean(once) is once
