"""Kind `utterances`: who speaks when, and labels that fit or do not."""

from typing import Any

import pytest
from mapped import example, said

EMOTIONS = ["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"]


def spoken(row: dict[str, Any], **settings: Any) -> list[tuple[str, str]] | str:
    return said("utterances", row, **settings)


@pytest.mark.parametrize(
    "dialog",
    [["a", " b\n", "c", "d"], "a __eou__ b __eou__ c __eou__ d", "a__eou__b__eou__c__eou__d __eou__ \n"],
)
def test_two_people_speak_in_turn(dialog: Any) -> None:
    expected = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    assert spoken({"dialog": dialog}) == expected


def test_a_last_user_turn_is_dropped() -> None:
    assert spoken({"dialog": ["a", "b", "c"]}) == [("user", "a"), ("assistant", "b")]
    assert spoken({"dialog": "a"}) == "fewer than two utterances: there is 1"
    assert spoken({"dialog": []}) == "fewer than two utterances: there is none"
    assert spoken({"dialog": ""}) == "fewer than two utterances: there is none"


def test_another_separator_and_column() -> None:
    assert spoken({"text": "a | b"}, column="text", separator="|") == [("user", "a"), ("assistant", "b")]


def test_an_utterance_without_a_word_keeps_its_place() -> None:
    assert spoken({"dialog": "a __eou__ __eou__ c __eou__ d"}) == "empty assistant message: turn 2"


@pytest.mark.parametrize("labels", [[0, 4, 6], "0 4 6", "[0, 4, 6]", ["0", "4", "6"], [0.0, 4.0, 6.0]])
def test_labels_are_numbers_in_many_forms(labels: Any) -> None:
    row = {"dialog": ["a", "b", "c"], "emotion": labels}
    made = spoken(row, labels={"emotion": EMOTIONS}, turn="[{emotion}] {text}", reply="({emotion}) {text}")
    assert made == [("user", "[neutral] a"), ("assistant", "(happiness) b")]


def test_labels_may_be_names_or_numbers_without_names() -> None:
    row = {"dialog": ["a", "b"], "emotion": ["anger", "joy"]}
    form = {"turn": "{emotion} {text}", "reply": "{emotion} {text}"}
    assert spoken(row, labels={"emotion": []}, **form) == [("user", "anger a"), ("assistant", "joy b")]
    assert spoken(row, labels={"emotion": EMOTIONS}, **form) == "a label is no number: emotion: 'joy'"
    assert spoken({**row, "emotion": "1 2"}, labels={"emotion": []}, **form)[1] == ("assistant", "2 b")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("0 1 2", "labels do not match utterances: emotion: 3 labels for 2 utterances"),
        ("", "labels do not match utterances: emotion: 0 labels for 2 utterances"),
        ([0, 7], "a label has no name: emotion: '7', there are 7 names"),
        ([0, -1], "a label has no name: emotion: '-1', there are 7 names"),
        ([0, 1.5], "a label has no name: emotion: '1.5', there are 7 names"),
        ([0, float("inf")], "a label is no number: emotion: 'inf'"),
        ([0, True], "a label is no number: emotion: true or false"),
        ([0, None], "a label is no number: emotion: null"),
        ([0, "x" * 500], f"a label is no number: emotion: '{'x' * 80}'"),
        ({"a": 1}, '"emotion" is not text: it is an object'),
    ],
)
def test_labels_that_cannot_be_told_reject_the_row(labels: Any, reason: str) -> None:
    row = {"dialog": ["a", "b"], "emotion": labels}
    assert spoken(row, labels={"emotion": EMOTIONS}) == reason


def test_the_count_is_judged_before_the_last_turn_is_dropped() -> None:
    row = {"dialog": "a __eou__ b __eou__ c", "emotion": "0 0"}
    settings = {"labels": {"emotion": EMOTIONS}}
    assert spoken(row, **settings) == "labels do not match utterances: emotion: 2 labels for 3 utterances"


def test_structured_content_for_a_template() -> None:
    row = {"dialog": ["a", "b"], "emotion": "1 4", "act": ["x", "y"], "topic": "work"}
    form = {"emotion": "{emotion}", "dialog": "{text}", "about": "{topic}/{act}"}
    made = example("utterances", row, labels={"emotion": EMOTIONS, "act": []}, turn=form, reply=form)
    user, reply = made.messages
    assert user.for_template == {"emotion": "anger", "about": "work/x", "dialog": "a"}
    assert (reply.content, reply.text_key) == ("b", "dialog")
    assert reply.given == (("emotion", "happiness"), ("about", "work/y"))


def test_a_label_as_a_tag_is_that_of_the_last_reply() -> None:
    row = {"dialog": ["a", "b", "c", "d", "e"], "emotion": "0 1 2 3 4", "scores": [5, 6]}
    tags = {"emotion": "{emotion}", "score": "{scores}"}
    made = example("utterances", row, labels={"emotion": EMOTIONS}, tags=tags)
    assert made.tags == (("emotion", "fear"), ("score", "6"))


def test_text_in_a_block_is_the_column_of_that_name() -> None:
    row = {"dialog": ["a", "b"], "text": "all of it", "emotion": "1 4"}
    blocks = {"Text": "{text}", "Mood": "{emotion}"}
    made = example("utterances", row, labels={"emotion": EMOTIONS}, blocks=blocks)
    assert made.blocks == (("Text", "all of it"), ("Mood", "happiness"))
    assert spoken({"dialog": ["a", "b"]}, blocks={"Text": "{text}"}) == 'no column "text": '


def test_a_system_message_may_name_columns() -> None:
    row = {"dialog": ["a", "b"], "topic": "work"}
    assert spoken(row, system="About {topic}.")[0] == ("system", "About work.")
    assert spoken(row, system="About {topics}.") == 'no column "topics": did you mean "topic"?'
