"""Answers made ready to be read, ends of conversations, a choice among candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.chat.candidates import Candidate, Choice, choose
from workbench.chat.cleanup import clean_answer, finished, takes_leave


@pytest.mark.parametrize(
    ("said", "text", "removed"),
    [
        ("  Oslo.\n", "Oslo.", ()),
        ("ASSISTANT: 秦王曰。", "秦王曰。", ("role",)),
        ("秦王曰。USER: 翻譯", "秦王曰。", ("role",)),
        ("Hi there. [INST] and then", "Hi there.", ("role",)),
        ("Hello.\nUser: what", "Hello.", ("role",)),
        ("Hello.<|im_end|>\n<|im_start|>user\nmore", "Hello.", ("role", "special token")),
        ("Xin chào END bạn", "Xin chào", ("stop text",)),
        ("A: the user: said", "A: the user: said", ()),
        ("Ngữ cảnh:\nShop mở cửa lúc 8 giờ.\nDạ, 8 giờ.", "Dạ, 8 giờ.", ("context block",)),
        ("yes</s>", "yes", ("special token",)),
    ],
)
def test_what_does_not_belong_to_an_answer_is_taken_out(
    said: str, text: str, removed: tuple[str, ...]
) -> None:
    blocks = [("Ngữ cảnh", "Shop mở cửa lúc 8 giờ.")]
    cleaned = clean_answer(said, ["END"], blocks)
    assert (cleaned.text, cleaned.removed) == (text, removed)


@given(st.text(max_size=80))
def test_nothing_is_ever_added(said: str) -> None:
    cleaned = clean_answer(said, ["\n\n"], [("K", "k v")])
    assert len(cleaned.text) <= len(said)
    assert clean_answer(said.strip()).text in said or clean_answer(said.strip()).removed


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Fine.", True),
        ("Really?!", True),
        ('He said "no."', True),
        ("秦王曰。」", True),
        ("สวัสดีครับ", True),
        ("and then the", False),
        ("", False),
        (" \n", False),
    ],
)
def test_finished_sentences(text: str, whole: bool) -> None:
    assert finished(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        "Bye!",
        "ok, goodbye then",
        "No thanks.",
        "Tạm biệt shop nhé",
        "ลาก่อนค่ะ",
        "好的，再見！",
        "就这样",
        "QUIT",
    ],
)
def test_leave_is_taken(text: str) -> None:
    assert takes_leave(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what does goodbye mean?",
        "I would like to buy a bicycle",
        "สบายดี",
        "The lullaby e",
        "再見是什麼意思？",
        "She said goodbye to all of her friends before the long journey began",
    ],
)
def test_leave_is_not_taken(text: str) -> None:
    assert not takes_leave(text)


def test_the_best_of_what_is_finished_is_taken() -> None:
    said = [
        Candidate("joy", ""),
        Candidate("anger", "and the"),
        Candidate("fear", "Oh!"),
        Candidate("none", "Ok."),
    ]
    scores = {"fear": 0.2, "none": 0.7, "anger": 9.0}
    choice = choose(said, lambda each: scores[each.label])
    assert choice == Choice(3, {0: "empty", 1: "unfinished"}, {2: 0.2, 3: 0.7})
    assert choose(said).index == 2, "the first one without a scorer"


def test_an_answer_that_breaks_off_is_better_than_none() -> None:
    assert choose([Candidate("joy", " "), Candidate("anger", "and the")]).index == 1
    assert choose([Candidate("joy", " ")]) == Choice(None, {0: "empty"}, {})
