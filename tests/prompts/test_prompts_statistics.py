"""Lengths, percentiles, histograms, padding: against plain ways to compute the same."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.prompts.survey.checks.scripts import SCRIPTS, dominant
from workbench.prompts.survey.statistics import BINS, Lengths, lengths, packed_rows, padding

some_lengths = st.lists(st.integers(1, 300), min_size=1, max_size=120)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_lengths(values: list[int]) -> None:
    found = lengths(values)
    assert (found.count, found.longest) == (len(values), max(values))
    assert found.mean == pytest.approx(sum(values) / len(values))
    for share, length in found.percentiles.items():
        assert length == np.percentile(values, share, method="inverted_cdf")
    assert sum(count for _, _, count in found.histogram) == len(values)
    assert len(found.histogram) <= BINS
    for first, last, count in found.histogram:
        assert count == sum(first <= value <= last for value in values)
    assert found.histogram[0][2] and found.histogram[-1][2], "no empty bins at the ends"


def test_nothing_has_no_lengths() -> None:
    assert lengths([]) == Lengths()


def naive_best_fit(values: list[int], room: int) -> int:
    bins: list[int] = []
    for value in sorted(values, reverse=True):
        fitting = [i for i, free in enumerate(bins) if free >= value]
        if fitting:
            best = min(fitting, key=lambda i: bins[i])
            bins[best] -= value
        else:
            bins.append(room - value)
    return len(bins)


@given(some_lengths)
def test_packing_fills_rows_best_fit_decreasing(values: list[int]) -> None:
    assert packed_rows(values, 300) == naive_best_fit(values, 300) >= ceil(sum(values) / 300)


@given(some_lengths, st.integers(1, 16))
def test_padding(values: list[int], micro_batch: int) -> None:
    found = padding(values, micro_batch, 300, seed=1)
    order = np.random.default_rng(1).permutation(values).tolist()
    batches = [order[i : i + micro_batch] for i in range(0, len(order), micro_batch)]
    places = sum(max(batch) * len(batch) for batch in batches)
    assert found["none"] == pytest.approx(1 - sum(values) / places)
    assert found["batch"] == 0
    assert found["bfd"] == pytest.approx(1 - sum(values) / (naive_best_fit(values, 300) * 300))
    assert padding([], 8, 300, 1) == {"none": 0, "batch": 0, "bfd": 0}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (
            "The quick brown fox, 12 times over a café in the evening, and it was all quite plain then.",
            "Latin",
        ),
        ("Xin chào, tôi tên là Nguyễn.", "Latin with diacritics"),
        ("Die Straße über den Fluß führt schön weit.", "Latin with diacritics"),
        ("翻譯成文言文：你好嗎？ OK", "Han"),
        ("これは日本語の文章です。漢字もある。", "Kana"),
        ("안녕하세요", "Hangul"),
        ("สวัสดีครับ ผมชื่อสมชาย", "Thai"),
        ("Привет, мир!", "Cyrillic"),
        ("Καλημέρα κόσμε", "Greek"),
        ("مرحبا بالعالم", "Arabic"),
        ("שלום עולם", "Hebrew"),
        ("नमस्ते दुनिया", "Devanagari"),
        ("გამარჯობა", "other"),
        ("12 + 34 = 46 🙂", "none"),
    ],
)
def test_scripts(text: str, script: str) -> None:
    found, private = dominant([text, "x", text])
    assert SCRIPTS[found[0]] == SCRIPTS[found[2]] == script and not private.any()


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_texts_counted_together_are_counted_each_for_itself(texts: list[str]) -> None:
    together, private = dominant(texts)
    for i, text in enumerate(texts):
        alone = dominant([text])
        assert (together[i], private[i]) == (alone[0][0], alone[1][0])
        assert private[i] == any(
            "\ue000" <= c <= "\uf8ff" or c >= "\U000f0000" and ord(c) & 0xFFFF < 0xFFFE for c in text
        )
