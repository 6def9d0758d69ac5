"""A number that nobody supplied is found, however it is written; one that was supplied is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation.checks.answer import Answer, Expected
from workbench.evaluation.checks.numbers import ascii_digits, numbers


def unsupplied(answer: str, *facts: str, reference: str = "") -> list[str]:
    found = numbers(Answer(answer, facts=facts, reference=reference), Expected())
    return found[0].what.removeprefix("not supplied: ").split(", ") if found else []


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("1.000 đ", "1000"),
        ("1,000 $", "1000"),
        ("1 000 €", "1.000"),
        ("1\u202f000", "1000"),
        ("1'000.50", "1000.5"),
        ("１０００円", "1,000"),
        ("๑๐๐๐ บาท", "1000"),
        ("1.234.567,80", "1234567.8"),
        ("1,234,567.80", "1234567.8"),
        ("3,14", "3.14"),
        ("3.50", "3.5"),
        ("007", "7"),
        ("50%", "0.5"),
        ("0.5", "50 %"),
        ("12/5/2024", "2024-05-12"),
        ("5.12.2024", "5 December 2024 at 12"),
        ("10:30", "10h30"),
        ("between 3 400 and 500", "3, 400 and 500"),
        ("RTX3070", "3070"),
    ],
)
def test_one_number_written_in_two_ways(answer: str, fact: str) -> None:
    assert unsupplied(answer, fact) == []


@pytest.mark.parametrize(
    ("answer", "fact", "wrong"),
    [
        ("It costs 30.", "It costs 20.", ["30"]),
        ("1.500.000", "1.050.000", ["1.500.000"]),
        ("1,000", "2 and 0", ["1,000"]),
        ("10", "100 and 1 and 1000", ["10"]),
        ("3.14", "314", ["3.14"]),
        ("12.5%", "12", ["12.5"]),
        ("On 12.05.2024", "12 May", ["12.05.2024"]),
        ("Call 0912 345 678", "0912 345 679", ["345 678"]),
        ("４２", "41", ["４２"]),
    ],
)
def test_a_number_that_nobody_supplied(answer: str, fact: str, wrong: list[str]) -> None:
    assert unsupplied(answer, fact) == wrong


def test_numbers_of_a_list_are_none_but_its_content_is() -> None:
    assert unsupplied("1. First\n2) Second\n 3、第三") == []
    assert unsupplied("1. It takes 5 days.") == ["5"]
    assert unsupplied("3.14 is pi.") == ["3.14"]


def test_the_reference_supplies_as_well() -> None:
    assert unsupplied("2 + 3 = 5", "2 + 3 = ?", reference="5") == []
    assert unsupplied("2 + 3 = 6", "2 + 3 = ?", reference="5") == ["6"]


@given(st.integers(0, 10**15), st.sampled_from([",", ".", " ", "\u00a0", "'"]))
def test_a_number_is_the_same_with_and_without_separators(number: int, separator: str) -> None:
    written = f"{number:,}".replace(",", separator)
    assert unsupplied(f"It is {written}", str(number)) == []
    assert unsupplied(str(number), f"It is {written}!") == []
    assert unsupplied(f"It is {number + 1}", written) != []


@given(st.text(max_size=60))
def test_every_text_supplies_its_own_numbers(text: str) -> None:
    assert unsupplied(text, text) == []
    assert len(ascii_digits(text)) == len(text)
