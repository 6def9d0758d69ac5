"""Near duplicates: what counts as one, what the index finds of them, and how many it invents."""

import random
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.data.likeness.near import Sketcher, normalise
from workbench.data.likeness.near_index import SIMILAR, NearIndex

SKETCHER = Sketcher()


def alike(one: str, other: str) -> bool:
    index = NearIndex()
    index.add(0, SKETCHER.sketch(one))
    return index.similar(SKETCHER.sketch(other)) == [0]


def jaccard(one: str, other: str) -> float:
    """The similarity that sketches estimate, exactly."""
    runs = [{text[i : i + 5] for i in range(len(text) - 4)} for text in map(normalise, (one, other))]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Hello, World!", "helloworld"),
        ("ＡＢＣ　１２", "abc12"),
        ("詔可。「好」", "詔可好"),
        ("1.5 and 3,000. End", "1.5and3,000end"),
        ("Vie\u0323\u0302t", "việt"),
        ("ผำ คือ", "ผำคือ"),
        ("a+b=c; x<y", "a+b=cx<y"),
        ("", ""),
        ("!?", ""),
        ("x\U0001f600\U0002a6d6", "x\U0001f600\U0002a6d6"),
    ],
)
def test_normalise(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(st.text())
@example("\u0339?\u0334")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_a_text_of_marks_takes_no_longer_than_another() -> None:
    begin = time.perf_counter()
    SKETCHER.sketch("a" + "\u0301\u0323" * 100_000)
    assert time.perf_counter() - begin < 5


@given(st.lists(st.text(max_size=80), max_size=12))
def test_many_are_sketched_as_one_by_one(texts: list[str]) -> None:
    many = SKETCHER.sketch_many(texts)
    assert many.shape == (len(texts), 144) and many.dtype == np.uint8
    for text, sketch in zip(texts, many, strict=True):
        assert (SKETCHER.sketch(text) == sketch).all()


@given(st.text(), st.text())
def test_what_is_equal_after_normalising_is_similar(one: str, other: str) -> None:
    if normalise(one) == normalise(other):
        assert alike(one, other)
    elif max(len(normalise(one)), len(normalise(other))) < 20:
        assert not alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("北京是中國的首都。", "南京是中國的首都。"),
        ("明朝於一三六八年由朱元璋建立於南京", "明朝於一三六六年由朱元璋建立於南京"),
        ("กรุงเทพเป็นเมืองหลวง", "ลอนดอนเป็นเมืองหลวง"),
        ("What is 12 + 7?", "What is 12 + 8?"),
        (
            "翻譯成文言文：第二天，趙用賢的疏奏上。答案：翌日，用賢疏上。",
            "翻譯成文言文：第三天，張居正的疏奏上。答案：翌日，居正疏上。",
        ),
        (
            "What is the capital of France? The capital of France is Paris.",
            "What is the capital of Spain? The capital of Spain is Madrid.",
        ),
        ("", "a"),
    ],
)
def test_other_facts_are_no_duplicates(one: str, other: str) -> None:
    assert not alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do you sell green tea?", "do you sell GREEN TEA"),
        ("我們賣綠茶，也賣紅茶和烏龍茶。" * 3, "我們賣綠茶、也賣紅茶和烏龍茶！" * 3),
        (
            "The shop opens at nine in the morning and closes at six in the evening, every day but Monday.",
            "The shop opens at nine in the morning and closes at six in the evening, every day but Sunday.",
        ),
    ],
)
def test_the_same_in_other_dress_is_a_duplicate(one: str, other: str) -> None:
    assert alike(one, other) and alike(other, one)


def test_questions_on_one_article_are_no_duplicates_where_answers_differ() -> None:
    article = "The Panthers' defence gave up only 308 points and ranked sixth in the league that season. " * 5
    index = NearIndex()
    index.add(1, SKETCHER.sketch(article + "How many points? 308", "308"))
    assert index.similar(SKETCHER.sketch(article + "What rank in the league? sixth", "sixth")) == []
    assert index.similar(SKETCHER.sketch(article + "How many points, then? 308", "308")) == [1]
    index.add(2, SKETCHER.sketch(article + "Why? " + article, article))
    assert index.similar(SKETCHER.sketch(article + "Why so? " + article + "Yes.", article + "Yes.")) == [2]


def words(rng: random.Random, alphabet: str, count: int) -> list[str]:
    return ["".join(rng.choices(alphabet, k=rng.randint(2, 7))) for _ in range(count)]


@pytest.mark.parametrize(
    ("alphabet", "gap"),
    [
        ("abcdefghijklmnoprstuvwy", " "),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 900))), ""),
        ("กขคงจชดตถทนบปผพมยรลวสหอาิีุูเแโ", ""),
    ],
)
def test_precision_and_recall_on_edited_copies(alphabet: str, gap: str) -> None:
    """800 texts and a copy of each with a known share of words changed, among texts of the same words."""
    rng = random.Random(7)
    stock = words(rng, alphabet, 400)
    texts = [rng.choices(stock, k=rng.choice((30, 60, 200))) for _ in range(800)]
    index = NearIndex()
    index.add_many(range(800), SKETCHER.sketch_many([gap.join(text) for text in texts]))
    surely = found = invented = 0
    for i, text in enumerate(texts):
        copy = [rng.choice(stock) if rng.random() < i / 4000 else word for word in text]
        exact = jaccard(gap.join(text), gap.join(copy))
        hits = index.similar(SKETCHER.sketch(gap.join(copy)))
        surely += exact >= SIMILAR + 0.08
        found += exact >= SIMILAR + 0.08 and i in hits
        invented += sum(hit != i or exact < SIMILAR - 0.12 for hit in hits)
    assert surely > 150
    assert found / surely > 0.98
    assert invented <= 2


def test_an_index_finds_what_was_added_in_any_portions() -> None:
    rng = np.random.default_rng(3)
    sketches = rng.integers(1, 256, (5000, 144), dtype=np.uint8)
    index = NearIndex()
    index.add_many(range(3000), sketches[:3000])
    for i in range(3000, 3100):
        index.add(i, sketches[i])
    index.add_many(range(3100, 5000), sketches[3100:])
    assert len(index) == 5000
    assert index.similar_many(sketches) == [[i] for i in range(5000)]


def test_copies_cost_neither_memory_nor_time() -> None:
    texts = ["We are closed on Mondays, please come again on Tuesday."] * 5000 + [
        "Something else that is new here."
    ]
    index = NearIndex()
    earlier = index.first_similar(range(100, 5101), SKETCHER.sketch_many(texts))
    assert earlier == [None] + [100] * 4999 + [None]
    assert len(index) == 2
    assert index.first_similar([9], SKETCHER.sketch_many(texts[:1])) == [100]
    assert index.first_similar([], SKETCHER.sketch_many([])) == []


def test_a_chain_of_small_changes_leads_to_what_was_kept() -> None:
    """What is similar only to a left-out text stays: only kept texts count as earlier ones."""
    base = words(random.Random(5), "abcdefghij", 100)
    drift = [" ".join(base)]
    for step in range(1, 12):
        drift.append(" ".join([f"new{i}word" for i in range(2 * step)] + base[2 * step :]))
    earlier = NearIndex().first_similar(range(12), SKETCHER.sketch_many(drift))
    kept = {i for i, first in enumerate(earlier) if first is None}
    assert 1 < len(kept) < 12
    assert {first for first in earlier if first is not None} <= kept
