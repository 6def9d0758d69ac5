"""Packed files: rows are those of the file inside, unpacked once, never more than there is room for."""

import gzip
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from workbench.data.files import packed
from workbench.data.files.rows import open_rows
from workbench.errors import WorkbenchError

TEXT = b"".join(b'{"a": %d}\n' % i for i in range(5000))


def zstd(data: bytes) -> bytes:
    import pyarrow as pa

    packed_data: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed_data


PACK = {".gz": gzip.compress, ".zst": zstd}


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def kept(cache: Path) -> list[str]:
    return sorted(file.name for file in (cache / "workbench").rglob("*") if file.is_file())


def problem(path: Path) -> str:
    with pytest.raises(WorkbenchError) as caught:
        open_rows(path)
    assert all(str(path) in problem.where for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_rows_of_a_packed_file(tmp_path: Path, cache: Path, suffix: str) -> None:
    path = written(tmp_path / f"x.jsonl{suffix}", PACK[suffix](TEXT[:30_000]) + PACK[suffix](TEXT[30_000:]))
    rows = open_rows(path)
    assert len(rows) == 5000 and rows[4999] == {"a": 4999}
    assert rows.files == [path] and rows.place(7) == f"x.jsonl{suffix} row 7"
    assert kept(cache) == ["x.jsonl"]


def test_it_is_unpacked_once_and_again_when_it_changes(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path / "x.csv.gz", gzip.compress(b"a\n1\n"))
    first = packed.unpacked(path)
    before = first.stat().st_ino
    assert packed.unpacked(path) == first and first.stat().st_ino == before
    written(path, gzip.compress(b"a\n1\n2\n"))
    assert len(open_rows(path)) == 2
    assert len(kept(cache)) == 2


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_what_is_broken_says_so_and_leaves_nothing(tmp_path: Path, cache: Path, suffix: str) -> None:
    data = PACK[suffix](TEXT)
    assert "is cut short" in problem(written(tmp_path / f"cut.jsonl{suffix}", data[: len(data) // 2]))
    assert f"is not a {suffix} file" in problem(written(tmp_path / f"x.jsonl{suffix}", b"no archive at all"))
    assert "the file is empty" in problem(written(tmp_path / f"y.jsonl{suffix}", PACK[suffix](b"")))
    assert kept(cache) == ["y.jsonl"]


def test_faults_of_the_file_inside_are_told_by_the_packed_name(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json.gz", gzip.compress(b"[\n{]"))
    assert f"{path}:2: broken JSON" in problem(path)


def test_only_text_is_packed(tmp_path: Path) -> None:
    for name in ("x.parquet.gz", "x.gz", "archive.tar.gz"):
        assert "not a format that can be read" in problem(written(tmp_path / name, gzip.compress(b"x")))


def test_a_bomb_is_stopped(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "CACHE_LIMIT", 2 * 10**6)
    bomb = written(tmp_path / "x.txt.gz", gzip.compress(b"\n" * (8 << 20)))
    assert "unpacks to more than 0 GB" in problem(bomb)
    assert kept(cache) == []


def test_a_full_disk_is_told_before_it_is_full(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**9))
    assert "no room to unpack it" in problem(written(tmp_path / "x.jsonl.gz", gzip.compress(TEXT)))
    assert kept(cache) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(written(tmp_path / "file", b"")))
    with pytest.raises(WorkbenchError, match="no folder to unpack it into"):
        open_rows(written(tmp_path / "x.jsonl.gz", gzip.compress(TEXT)))


def test_what_was_used_longest_ago_goes_first(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "CACHE_LIMIT", 120_000)
    for age, name in enumerate(("new", "old", "older")):
        file = packed.unpacked(written(tmp_path / f"{name}.jsonl.gz", gzip.compress(TEXT)))
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    packed.unpacked(tmp_path / "old.jsonl.gz")  # used again
    packed.unpacked(written(tmp_path / "last.jsonl.gz", gzip.compress(TEXT)))
    assert kept(cache) == ["last.jsonl", "old.jsonl"]
