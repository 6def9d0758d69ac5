"""Made rows: as many as asked for, even, new, with their provenance, and every answer as it was."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.augment import augment
from workbench.data.augment.changes import break_conversation, paraphrase
from workbench.data.digest import digest
from workbench.data.example import Example, Message, Origin
from workbench.errors import WorkbenchError
from workbench.project.schema import Augmentation

TEMPLATES = ["Cho em hỏi: {text}", "Shop ơi, {text}", "{text} Xin cảm ơn."]
words = st.sampled_from(["laptop", "phone", "price", "order", "5", "điện thoại", "รถ", "?"])
turns = st.lists(words, min_size=1, max_size=4).map(" ".join)


def talk(*texts: str, row: int = 0, **keys: Any) -> Example:
    """Users and assistants in turn."""
    roles = ("user", "assistant")
    return Example(tuple(Message(roles[n % 2], text) for n, text in enumerate(texts)), Origin(0, row), **keys)


@st.composite
def talks(draw: st.DrawFn) -> list[Example]:
    made = draw(
        st.lists(st.lists(turns, min_size=2, max_size=6).map(lambda t: t[: len(t) // 2 * 2]), max_size=8)
    )
    return [talk(*texts, row=row) for row, texts in enumerate(made)]


def answers(example: Example) -> list[str]:
    return [message.content for message in example.messages if message.role == "assistant"]


def test_a_conversation_breaks_into_its_replies() -> None:
    example = talk("q1", "a1", "q2", "a2", "q3", "a3")
    broken = break_conversation(replace(example, messages=(Message("system", "s"), *example.messages)))
    assert [len(each.example.messages) for each in broken] == [3, 5, 7]
    assert [each.by for each in broken] == [(f"break after reply {n}",) for n in (1, 2, 3)]
    assert all(each.example.messages[-1].role == "assistant" for each in broken)


def test_a_paraphrase_holds_braces_and_backslashes() -> None:
    assert paraphrase(r"{text} \1 {0}", ["Hỏi: {text}"]) == [("template Hỏi: {text}", r"Hỏi: {text} \1 {0}")]


def test_forty_rows_become_two_hundred_evenly() -> None:
    rows = [talk(f"question {i} about a laptop", f"answer {i}", row=i) for i in range(40)]
    asked = Augmentation(target=200, keywords={"laptop": ["notebook", "PC"]}, paraphrases=TEMPLATES)
    made = augment(rows, asked)
    assert made.total == 200 and len(made.rows) == 160 and not made.missing
    assert set(Counter(row.example.origin.row for row in made.rows).values()) == {4}
    again = augment(rows, asked)
    assert again.rows == made.rows
    assert augment(rows, asked.model_copy(update={"seed": 1})).rows != made.rows


def test_rows_are_in_the_order_of_their_originals() -> None:
    rows = [talk(f"question {i}", "answer", row=i) for i in range(9)]
    made = augment(rows, Augmentation(target=25, paraphrases=TEMPLATES)).rows
    assert [row.example.origin.row for row in made] == sorted(row.example.origin.row for row in made)
    counts = Counter(row.example.origin.row for row in made)
    assert len(made) == 16 and set(counts.values()) == {1, 2}


def test_replies_come_before_other_words() -> None:
    rows = [talk("q1", "a1", "q2", "a2", "q3", "a3", row=0), talk("other", "b", row=1)]
    asked = Augmentation(target=5, break_conversations=True, paraphrases=TEMPLATES)
    kinds = [row.kind for row in augment(rows, asked).rows]
    assert kinds == ["break", "break", "template"]


def test_broken_replies_are_put_in_other_words_too() -> None:
    rows = [talk("a laptop", "a1", "q2", "a2")]
    made = augment(rows, Augmentation(break_conversations=True, keywords={"laptop": ["PC"]})).rows
    assert [row.by for row in made] == [
        ("break after reply 1",),
        ("keyword laptop -> PC",),
        ("break after reply 1", "keyword laptop -> PC"),
    ]
    assert made[2].example.messages[0].content == "a PC"


def test_what_cannot_be_reached_is_told() -> None:
    rows = [talk("a laptop", "a1", row=0), talk("nothing", "a2", row=1)]
    made = augment(rows, Augmentation(target=100, keywords={"laptop": ["PC", "notebook"]}))
    assert (len(made.rows), made.missing) == (2, 96)
    assert made.unused == {"nothing new can be made of it": 1}


@pytest.mark.parametrize(
    "asked",
    ["Ngữ cảnh: shop bán laptop\nYêu cầu: tư vấn", "背景：laptop\n问题：多少钱", "### Context:\nb\n\nc"],
)
def test_a_message_in_parts_gets_no_template(asked: str) -> None:
    keys = {"laptop": ["PC"]}
    made = augment([talk(asked, "a1")], Augmentation(keywords=keys, paraphrases=TEMPLATES))
    assert {row.kind for row in made.rows} <= {"keyword"}
    [(reason, count)] = made.left_out.items()
    assert "title" in reason and count == len(TEMPLATES)


@pytest.mark.parametrize(
    "asked",
    ["Cho em hỏi: laptop nào rẻ?", "Em cần laptop.\nGiá: dưới 10 triệu", "Chào shop, em hỏi: a\nb", ": a\nb"],
)
def test_a_colon_alone_makes_no_parts(asked: str) -> None:
    made = augment([talk(asked, "a1")], Augmentation(paraphrases=TEMPLATES))
    assert [row.kind for row in made.rows] == ["template"] * 3 and not made.left_out


def test_plain_texts_are_counted() -> None:
    plain = Example((Message("assistant", "a laptop"),), Origin(0, 0), plain=True)
    made = augment([plain], Augmentation(paraphrases=TEMPLATES, break_conversations=True))
    assert not made.rows and made.unused == {"a plain text has no question": 1}


def test_no_row_asks_what_a_held_out_row_asks() -> None:
    trained = [talk("laptop hỏng", "a", "còn gì", "b", row=0)]
    held = [talk("PC hỏng!", "c", "còn gì", "d", row=1), talk("laptop hỏng", "x", row=2)]
    asked = Augmentation(break_conversations=True, keywords={"laptop": ["PC", "notebook"]})
    made = augment(trained, asked, held)
    assert {row.by for row in made.rows} == {
        ("keyword laptop -> notebook",),
        ("break after reply 1", "keyword laptop -> PC"),
        ("break after reply 1", "keyword laptop -> notebook"),
    }
    assert made.left_out == {"asks what a held-out row asks": 2}


def test_a_question_with_another_answer_is_not_asked_again() -> None:
    rows = [talk("laptop?", "one", row=0), talk("PC?", "two", row=1)]
    made = augment(rows, Augmentation(keywords={"laptop": ["PC"]}))
    assert not made.rows and made.left_out == {"asks what another row asks": 1}


def test_context_blocks_change_and_given_keys_and_tags_stay() -> None:
    message = Message("user", "a laptop", (("emotion", "laptop"),), "dialog")
    example = Example(
        (Message("system", "laptop"), message, Message("assistant", "laptop")),
        Origin(0, 3),
        (("topic", "laptop"),),
        "g",
        (("About", "the laptop"),),
    )
    [row] = augment([example], Augmentation(keywords={"laptop": ["PC"]})).rows
    assert [m.content for m in row.example.messages] == ["laptop", "a PC", "laptop"]
    assert row.example.messages[1].given == message.given and row.example.tags == example.tags
    assert row.example.blocks == (("About", "the PC"),) and row.group == "g"


def test_of_many_keywords_not_all_variants_are_made() -> None:
    keywords = {letter * 3: ["x", "y"] for letter in "abcdefghijklmnopqrstuvw"}  # 3^23 variants
    made = augment([talk(" ".join(keywords), "a")], Augmentation(target=500, keywords=keywords))
    assert made.total == 500


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"keywords": {"iPhone 12": ["iPhone 13"]}}, "changes a number"),
        ({"keywords": {" ": ["a"]}}, "an empty keyword"),
    ],
)
def test_settings_that_cannot_be_carried_out(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(WorkbenchError, match=what):
        augment([talk("q", "a")], Augmentation(**keys))


@settings(deadline=None)
@given(
    talks(),
    talks(),
    st.integers(0, 40),
    st.booleans(),
    st.dictionaries(
        words.filter(str.isalpha), st.lists(st.sampled_from(["x", "Y z", "phone"]), max_size=2), max_size=3
    ),
    st.lists(st.sampled_from(TEMPLATES), max_size=3, unique=True),
    st.integers(0, 3),
)
def test_whatever_is_asked(
    rows: list[Example],
    held: list[Example],
    target: int,
    breaks: bool,
    keywords: dict[str, list[str]],
    templates: list[str],
    seed: int,
) -> None:
    asked = Augmentation(
        target=target, break_conversations=breaks, keywords=keywords, paraphrases=templates, seed=seed
    )
    made = augment(rows, asked, held)
    if target:
        assert made.total <= max(target, len(rows))
        assert made.missing == max(0, target - made.total)
    said = [digest(row.example) for row in made.rows]
    assert len(set(said)) == len(said) and not set(said) & {digest(each) for each in (*rows, *held)}
    for row in made.rows:
        original = rows[row.example.origin.row]
        count = len(row.example.messages) // 2
        assert answers(row.example) == answers(original)[:count]
        assert [m.role for m in row.example.messages] == [m.role for m in original.messages][: count * 2]
        assert row.by and row.group
        assert len({other.group for other in made.rows if other.example.origin == row.example.origin}) == 1
    if target and not made.missing:
        # No original gives two rows more than another one that still has some to give
        most = max(Counter(row.example.origin.row for row in made.rows).values(), default=0)
        full = augment(rows, asked.model_copy(update={"target": 10**6}), held)
        able = Counter(row.example.origin.row for row in full.rows)
        for origin, could in able.items():
            given_rows = sum(row.example.origin.row == origin for row in made.rows)
            assert given_rows >= min(could, most - 1)
