"""Keywords are found as whole words in any script, and what stands for them is written as they are."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.augment.keywords import Keywords, keyword_variants

KEYWORDS = {
    "laptop": ["máy tính"],
    "đơn": ["kiện"],
    "đơn hàng": ["gói hàng"],
    "สี": ["เฉดสี"],
    "电脑": ["计算机"],
    "iPhone": ["điện thoại"],
}


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("my laptop, your laptop", "my máy tính, your máy tính"),
        ("Laptop LAPTOP", "Máy tính MÁY TÍNH"),
        ("laptops xlaptop laptop_1 laptop2", "laptops xlaptop laptop_1 laptop2"),
        ("ซื้อlaptopใหม่", "ซื้อmáy tínhใหม่"),  # a script without spaces ends no Latin word
        ("đơn hàng", "gói hàng"),  # the longer keyword counts
        ("đơn số 5", "kiện số 5"),
        ("cô đơns đơn", "cô đơns kiện"),
        ("มีสีแดงไหม", "มีเฉดสีแดงไหม"),
        ("มีสี่ตัว", "มีสี่ตัว"),  # a tone mark makes it another word
        ("买电脑吗", "买计算机吗"),
        ("iPhone iphone", "điện thoại điện thoại"),
        (unicodedata.normalize("NFD", "đơn hàng"), "gói hàng"),
        (unicodedata.normalize("NFD", "đợn"), unicodedata.normalize("NFD", "đợn")),
        ("", ""),
    ],
)
def test_whole_words(text: str, replaced: str) -> None:
    search = Keywords(KEYWORDS)
    assert search.replaced(text, {word: others[0] for word, others in KEYWORDS.items()}) == replaced
    assert bool(search.found(text)) == (text != replaced)


def test_two_words_may_stand_for_each_other() -> None:
    search = Keywords({"a": ["b"], "b": ["a"]})
    assert search.replaced("a b ab", {"a": "b", "b": "a"}) == "b a ab"


def test_only_what_is_chosen_is_exchanged() -> None:
    search = Keywords({"máy": ["cái"], "máy tính": ["laptop"]})
    assert search.replaced("máy và máy tính", {"máy": "cái"}) == "cái và máy tính"


def test_variants_say_how_they_were_made() -> None:
    found = keyword_variants("Bán laptop", {"laptop": ["máy tính", "notebook"], "tivi": ["TV"]})
    assert found == [
        ("keyword laptop -> máy tính", "Bán máy tính"),
        ("keyword laptop -> notebook", "Bán notebook"),
    ]


@given(st.text(), st.dictionaries(st.text(min_size=1), st.lists(st.text(min_size=1), min_size=1)))
def test_any_text_and_any_keywords(text: str, keywords: dict[str, list[str]]) -> None:
    search = Keywords(keywords)
    found = search.found(text)
    assert found <= set(keywords)
    assert search.replaced(text, {}) == text
    others = {word: keywords[word][0] for word in set(keywords) - found}
    assert search.replaced(text, others) == text
