"""Tags: by phrases in what the user says, from columns."""

import pytest
from mapped import example, said

ROW = {"instruction": "q", "input": "", "output": "a"}
DIRECTION = {"classical": "成文言文|成古文|古代怎麼說", "modern": "成現代文|成白話文|文言文翻譯"}


@pytest.mark.parametrize(
    ("phrase", "direction"),
    [
        ("翻譯成文言文：", "classical"),
        ("這句話在中國古代怎麼說：", "classical"),
        ("文言文翻譯：", "modern"),
        ("把這句話翻譯成現代文。", "modern"),
        ("Translate this.", None),
    ],
)
def test_phrases_tell_a_tag(phrase: str, direction: str | None) -> None:
    made = example("fields", {**ROW, "instruction": phrase}, tags={"direction": DIRECTION})
    assert dict(made.tags).get("direction") == direction


def test_the_first_phrase_wins_and_only_the_user_is_searched() -> None:
    tags = {"t": {"one": "a", "two": "b"}}
    turns = [("user", "x"), ("assistant", "a"), ("user", "b"), ("assistant", "a")]
    spoken = [{"role": role, "content": text} for role, text in turns]
    assert example("messages", {"messages": spoken}, tags=tags).tags == (("t", "two"),)
    assert example("fields", {**ROW, "instruction": "b a"}, tags=tags).tags == (("t", "one"),)
    assert example("text", {"text": "only b"}, tags=tags).tags == (("t", "two"),)


def test_columns_as_tags() -> None:
    row = {**ROW, "lang": " en ", "none": None, "scores": [1, 2], "empty": []}
    tags = {"l": "{lang}", "n": "{none}", "pair": "{lang}-{scores}", "e": "{empty}"}
    assert example("fields", row, tags=tags).tags == (("l", "en"), ("pair", "en -2"))
    assert said("fields", row, tags={"l": "{lange}"}) == 'no column "lange": did you mean "lang"?'
