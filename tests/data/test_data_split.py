"""The split: near the share or exactly the count, the same for the same content, and blind to new rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.digest import digest, drawn
from workbench.data.example import Example, Message, Origin
from workbench.data.split import held_out


def draws(keys: list[int], seed: int = 1) -> np.ndarray:
    return drawn(np.array(keys, np.uint64), seed)


@given(
    st.lists(st.integers(0, 20), max_size=60), st.floats(0, 80, allow_nan=False), st.integers(0, 2**32 - 1)
)
def test_whatever_is_asked(keys: list[int], validation: float, seed: int) -> None:
    held = held_out(draws(keys, seed), validation)
    sides = {
        key: {bool(side) for side, other in zip(held, keys, strict=True) if other == key} for key in keys
    }
    assert all(len(side) == 1 for side in sides.values())  # equal ones stay together
    assert not keys or not held.all()
    assert held.any() == (validation > 0 and len(set(keys)) > 1)


def test_a_count_is_exact_when_all_differ() -> None:
    keys = draws(list(range(200)))
    for validation, held in ((0, 0), (1, 1), (37, 37), (500, 199)):
        assert held_out(keys, validation).sum() == held


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_a_share_is_near(seed: int, share: float) -> None:
    held = held_out(draws(list(range(5000)), seed), share).sum()
    assert abs(held - share * 5000) < 6 * (share * (1 - share) * 5000) ** 0.5 + 1


@given(st.integers(0, 2**32 - 1))
def test_rows_that_are_appended_move_none_of_the_old_ones(seed: int) -> None:
    before = held_out(draws(list(range(500)), seed), 0.1)
    after = held_out(draws(list(range(700)), seed), 0.1)
    assert (before == after[:500]).all()


def test_order_does_not_matter_and_the_seed_does() -> None:
    keys = list(range(300))
    assert (held_out(draws(keys[::-1]), 0.2)[::-1] == held_out(draws(keys), 0.2)).all()
    assert (held_out(draws(keys, 2), 0.2) != held_out(draws(keys), 0.2)).any()


def test_the_parts_of_a_message_cannot_be_confused() -> None:
    one = Example((Message("user", "a"), Message("assistant", "b")), Origin(0, 0))
    other = Example((Message("user", "aassistantb"), Message("assistant", "")), Origin(0, 1))
    given_to_it = Example((Message("user", "a", (("assistant", "b"),)),), Origin(0, 2))
    assert len({digest(one), digest(other), digest(given_to_it)}) == 3
