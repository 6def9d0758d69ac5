"""Cleaning against the standard library's HTML parser, sketches against MinHash as datasketch computes it."""

import random
import sys
import time
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from typing import get_args

import numpy as np
import pytest

from workbench.data.cleaning import Cleaner
from workbench.data.cleaning.html import html
from workbench.data.example import Example, Message, Origin
from workbench.data.likeness.near import Sketcher, normalise
from workbench.data.likeness.near_index import NearIndex
from workbench.project.source import CleaningName

pytestmark = pytest.mark.benchmark


def stock(rng: random.Random, alphabet: str) -> list[str]:
    return ["".join(rng.choices(alphabet, k=rng.randint(2, 8))) for _ in range(3000)]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Rows of 1.2 KB, half in Latin letters and half in Han."""
    rng = random.Random(1)
    latin, han = (
        stock(rng, "abcdefghijklmnopqrstuvwxyz"),
        stock(rng, "".join(map(chr, range(0x4E00, 0x5800)))),
    )
    return [" ".join(rng.choices(latin, k=200)) for _ in range(4000)] + [
        "，".join(rng.choices(han, k=70)) for _ in range(4000)
    ]


def megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


class TextOnly(HTMLParser):
    """What one writes first: data is kept, tags are not."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def parsed(text: str) -> str:
    parser = TextOnly()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)


def test_html_against_the_standard_library(texts: list[str]) -> None:
    pages = [f"<p>The <b>quick</b> fox &amp; dog</p>\n<ul><li>{text[:400]}</li></ul>" for text in texts]
    ours = megabytes(pages) / seconds(lambda: [html(page) for page in pages])
    theirs = megabytes(pages) / seconds(lambda: [parsed(page) for page in pages])
    sys.stdout.write(f"\nhtml {ours:.0f} MB/s, html.parser {theirs:.0f} MB/s, ratio {ours / theirs:.2f}\n")
    assert ours / theirs >= 0.8  # it breaks lines, keeps code and what only looks like a tag as well


def test_clean_rows_pass_all_rules_quickly(texts: list[str]) -> None:
    cleaner = Cleaner(get_args(CleaningName))
    rows = [Example((Message("user", "?"), Message("assistant", text)), Origin(0, 0)) for text in texts]
    assert all(cleaner.clean(row) is row for row in rows)
    rate = megabytes(texts) / seconds(lambda: [cleaner.clean(row) for row in rows])
    sys.stdout.write(f"\nall ten rules, nothing to do: {rate:.0f} MB/s\n")
    assert rate >= 20


def textbook(text: str) -> object:
    """128 permutations (a h + b) mod p of each hash, as datasketch's `update_batch`."""
    text = normalise(text)
    hashes = np.array([zlib.crc32(text[i : i + 5].encode()) for i in range(len(text) - 4)], np.uint64)
    return ((hashes[:, None] * FACTORS + FACTORS[::-1]) % np.uint64((1 << 61) - 1)).min(axis=0)


FACTORS = np.random.default_rng(1).integers(1, 1 << 28, 128, dtype=np.uint64)


def test_sketches_against_textbook_minhash(texts: list[str]) -> None:
    sketcher = Sketcher()
    ours = megabytes(texts) / seconds(lambda: sketcher.sketch_many(texts, texts))
    few = texts[::40]
    theirs = megabytes(few) / seconds(lambda: [textbook(text) for text in few])
    sys.stdout.write(f"\nsketches {ours:.0f} MB/s, MinHash {theirs:.2f} MB/s, ratio {ours / theirs:.0f}\n")
    assert ours / theirs >= 10
    assert ours >= 20


def resident() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def test_a_million_sketches_fit() -> None:
    rng = np.random.default_rng(1)
    portions = rng.integers(1, 256, (2, 500, 144), dtype=np.uint8)
    index = NearIndex()
    index.add_many(range(10), portions[0, :10])
    before, begin = resident(), time.process_time()
    for start in range(0, 1_000_000, 500):
        portion = portions[start // 500 % 2] ^ np.uint8(start // 500 % 251)
        index.add_many(range(start, start + 500), np.roll(portion, start // 500, axis=1))
    taken = resident() - before
    took = time.process_time() - begin
    sys.stdout.write(f"\nindex of 1,000,000: {taken:.0f} MB, {took:.1f} s\n")
    assert taken < 250
