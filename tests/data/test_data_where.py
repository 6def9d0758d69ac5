"""`where`: what is filtered out, and what cannot be judged."""

from typing import Any

import pytest
from mapped import mapped, said

from workbench.data.example import Rejected
from workbench.data.mapping import searching

ROW = {"instruction": "q", "input": "", "output": "a"}


def left_out(condition: dict[str, Any], **cells: Any) -> str:
    """The detail of a row that is filtered out; `kept` for one that stays."""
    made = mapped("fields", {**ROW, **cells}, where={"c": condition})
    if not isinstance(made, Rejected):
        return "kept"
    assert made.filtered and made.reason == "where c"
    return made.detail


@pytest.mark.parametrize(
    ("condition", "kept", "lost", "detail"),
    [
        ({"equals": "en"}, ["en"], ["EN", "en ", "", None], "it is '"),
        ({"equals": 3}, [3, 3.0, "3"], [4, "03", True, None], "it is '"),
        ({"equals": True}, [True, "true"], [1, "True", False], "it is '"),
        ({"equals": ""}, ["", None, float("nan")], ["x", 0], "it is '"),
        ({"in": ["a", 2]}, ["a", 2, "2"], ["b", 3, ""], "it is '"),
        ({"in": []}, [], ["a"], "it is '"),
        ({"in": ["a", "b"], "equals": "a"}, ["a"], ["b"], "it is '"),
        ({"matches": "^\\p{Thai}"}, ["ไทย x"], ["x ไทย", ""], "no match in '"),
        ({"matches": "^[ab]$"}, ["a"], ["ab"], "no match in '"),
        ({"min_chars": 2}, ["ab", 12], ["a", "", None], "characters, fewer than 2"),
        ({"max_chars": 2}, ["ab", "", None], ["abc"], "characters, more than 2"),
    ],
)
def test_operators(condition: dict[str, Any], kept: list[Any], lost: list[Any], detail: str) -> None:
    assert [left_out(condition, c=value) for value in kept] == ["kept"] * len(kept)
    assert all(detail in left_out(condition, c=value) for value in lost)


def test_the_first_condition_that_fails_is_the_reason() -> None:
    where = {"a": {"equals": 1}, "b.c": {"min_chars": 9}}
    made = mapped("fields", {**ROW, "a": 1, "b": {"c": "x"}}, where=where)
    assert made == Rejected(made.origin, "where b.c", "1 characters, fewer than 9", filtered=True)
    assert mapped("fields", {**ROW, "a": 2}, where=where).reason == "where a"  # type: ignore[union-attr]


def test_what_cannot_be_judged_is_rejected_and_not_filtered() -> None:
    for row, reason in (
        ({**ROW, "langs": "en"}, 'no column "lang": did you mean "langs"?'),
        ({**ROW, "lang": ["en"]}, '"lang" is not text: it is a list'),
    ):
        made = mapped("fields", row, where={"lang": {"equals": "en"}})
        assert isinstance(made, Rejected) and not made.filtered
        assert f"{made.reason}: {made.detail}" == reason


def test_where_comes_before_the_mapping() -> None:
    made = mapped("fields", {"lang": "de"}, where={"lang": {"equals": "en"}})
    assert isinstance(made, Rejected) and made.filtered


def test_a_pattern_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_TIMEOUT", 0.05)
    row = {**ROW, "c": "a" * 60 + "b"}
    made = said("fields", row, where={"c": {"matches": "(a|a)+$"}})
    assert made == "a pattern takes too long: '(a|a)+$': no repeats inside repeats, such as (a+)+"
