"""The split: exact where it can be, the same for the same content, and never a leak."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.data.example import Example, Message, Origin
from workbench.data.split import split


def examples(texts: list[str]) -> list[Example]:
    return [
        Example((Message("user", text), Message("assistant", "yes")), Origin(0, i))
        for i, text in enumerate(texts)
    ]


TEXTS = st.lists(st.text(max_size=3), max_size=60)


@given(TEXTS, st.floats(0, 80, allow_nan=False), st.integers())
def test_whatever_is_asked(texts: list[str], validation: float, seed: int) -> None:
    given_examples = examples(texts)
    parts = split(given_examples, validation, seed)
    by_row = sorted(parts.train + parts.validation, key=lambda example: example.origin.row)
    assert by_row == given_examples
    for side in (parts.train, parts.validation):
        assert side == sorted(side, key=lambda example: example.origin.row)
    assert not {e.messages for e in parts.train} & {e.messages for e in parts.validation}
    assert parts.train or not given_examples
    assert bool(parts.validation) == (validation > 0 and len(set(texts)) > 1)


def test_the_count_is_exact_when_all_differ() -> None:
    differing = examples([str(i) for i in range(200)])
    for validation, held in ((0, 0), (0.1, 20), (0.001, 1), (0.999, 199), (1, 1), (37, 37), (500, 199)):
        assert len(split(differing, validation, 1).validation) == held


def test_order_does_not_matter_and_the_seed_does() -> None:
    texts = [str(i) for i in range(300)]
    held = {e.messages for e in split(examples(texts), 0.2, 1).validation}
    assert {e.messages for e in split(examples(texts[::-1]), 0.2, 1).validation} == held
    assert {e.messages for e in split(examples(texts), 0.2, 2).validation} != held


def test_appending_rows_moves_few_of_the_old_ones() -> None:
    texts = [str(i) for i in range(1000)]
    before = {e.messages for e in split(examples(texts), 0.1, 3).validation}
    more = [*texts, *(f"new {i}" for i in range(100))]
    old = {e.messages for e in examples(texts)}
    after = {e.messages for e in split(examples(more), 0.1, 3).validation} & old
    assert len(before ^ after) <= 25  # a draw anew would move about 180


def test_the_parts_of_a_message_cannot_be_confused() -> None:
    one = Example((Message("user", "a"), Message("assistant", "b")), Origin(0, 0))
    other = Example((Message("user", "aassistantb"), Message("assistant", "")), Origin(0, 1))
    assert len(split([one, other], 1, 0).validation) == 1
