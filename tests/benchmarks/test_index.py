"""The JSONL index against what one would write by hand: the position kept over `for line in file`."""

import sys
import time
from array import array
from pathlib import Path

import pytest

from workbench.data.files.rows import open_rows

ROWS = 170_000
pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 MB of rows of about 1.2 KB, as a million-row file of 1.2 GB has them."""
    path = tmp_path_factory.mktemp("big") / "rows.jsonl"
    body = "古文 translate this — " * 43
    with path.open("w", encoding="utf-8") as file:
        for i in range(ROWS):
            file.write(f'{{"id": {i}, "instruction": "Describe it.", "output": "{body}{i}"}}\n')
    return path


def seconds_of_a_line_loop(path: Path) -> float:
    begin = time.perf_counter()
    ends, position = array("q"), 0
    with path.open("rb") as file:
        for line in file:
            position += len(line)
            ends.append(position)
    assert len(ends) == ROWS
    return time.perf_counter() - begin


def seconds_of_our_index(path: Path) -> float:
    begin = time.perf_counter()
    rows = open_rows(path)
    rows.build()
    took = time.perf_counter() - begin
    assert len(rows) == ROWS
    return took


def test_the_index_is_faster_than_a_line_loop(big: Path) -> None:
    size = big.stat().st_size / 1e9
    ours = min(seconds_of_our_index(big) for _ in range(3))
    loop = min(seconds_of_a_line_loop(big) for _ in range(3))
    sys.stdout.write(
        f"\nindex {size / ours:.2f} GB/s, line loop {size / loop:.2f} GB/s, ratio {loop / ours:.2f}\n"
    )
    assert loop / ours >= 1.0
    assert size / ours >= 0.5


def test_the_first_rows_are_there_at_once(big: Path) -> None:
    begin = time.perf_counter()
    rows = open_rows(big)
    first = [rows[i] for i in range(40)]
    took = time.perf_counter() - begin
    sys.stdout.write(f"\nfirst 40 rows after {took * 1000:.1f} ms\n")
    assert not rows.complete
    assert [row["id"] for row in first] == list(range(40))
    assert took < 0.05
